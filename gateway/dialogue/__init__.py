"""What the assistant knows and says: retrieval, red flags, LLM, tools, handoff rules, evaluation."""
