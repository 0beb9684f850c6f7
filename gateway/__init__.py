"""The consultation service: conversations, calls, dialogue, people. The only package that knows media and signaling."""

__version__ = "0.1.0"
