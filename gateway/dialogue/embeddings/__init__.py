"""An OpenAI-compatible model of meanings: a second opinion on the entries retrieval found. Optional."""

from gateway.dialogue.embeddings.client import Embeddings
from gateway.dialogue.embeddings.reranker import Reranker, Vectors, found_with

__all__ = ["Embeddings", "Reranker", "Vectors", "found_with"]
