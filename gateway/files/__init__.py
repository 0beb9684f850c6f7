"""Photos, voice notes and files: what may come in, how it is made harmless, where it lies.

Kept empty: the child processes (`picture`, `sound`) import this package and must start quickly.
"""
