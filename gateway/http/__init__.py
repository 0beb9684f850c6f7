"""The HTTP edge: one table of URLs and thin handlers."""
