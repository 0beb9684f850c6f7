"""An OpenAI-compatible model that words what retrieval and tools found. Never the source of a fact."""
