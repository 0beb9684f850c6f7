"""PURE: folds and decisions over the event log. No clock, no I/O, no randomness."""
