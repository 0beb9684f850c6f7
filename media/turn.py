"""PURE: whose turn it is."""
