"""PURE: hello to closed."""
