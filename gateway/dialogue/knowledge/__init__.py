"""PURE: entries, and retrieval without a model (characters, sounds, words, curated meanings; calibrated confidence)."""

from gateway.dialogue.knowledge.entries import CATEGORIES, Category, Entry
from gateway.dialogue.knowledge.retrieval import Found, Hit, Knowledge

__all__ = ["CATEGORIES", "Category", "Entry", "Found", "Hit", "Knowledge"]
