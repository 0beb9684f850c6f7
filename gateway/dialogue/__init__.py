"""What the assistant knows and says: retrieval, red flags, LLM, tools, handoff rules, evaluation."""

from gateway.dialogue import safety
from gateway.dialogue.dialogue import Assistant
from gateway.dialogue.library import Database, Library
from gateway.dialogue.ports import Dialogue
from gateway.settings import Settings


def compose(store: Database, settings: Settings) -> Dialogue:  # noqa: ARG001 - the LLM and the tools will ask for settings
    """The assistant of this gateway over the knowledge in `store`."""
    return Assistant(Library(store), safety)


__all__ = ["compose"]
