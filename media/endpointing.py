"""PURE: when is a turn over."""
