"""What the assistant knows and says: retrieval, red flags, LLM, tools, handoff rules, evaluation."""

from gateway.dialogue import safety
from gateway.dialogue.dialogue import Assistant
from gateway.dialogue.embeddings import Embeddings, Reranker
from gateway.dialogue.library import Database, Library
from gateway.dialogue.llm.client import ChatModel
from gateway.dialogue.llm.writer import Writer
from gateway.dialogue.ports import Dialogue
from gateway.dialogue.safety.drafts import spoken_safely
from gateway.dialogue.tools import Desk, Shop
from gateway.dialogue.tools.own import OwnShop
from gateway.dialogue.tools.remote import RemoteShop
from gateway.settings import Settings


def compose(store: Database, settings: Settings, reranker: Reranker | None) -> Dialogue:
    """The assistant of this gateway over the knowledge in `store`; `reranker` is `second_opinion(settings)`."""
    desk = Desk(_shop(store, settings))
    return Assistant(Library(store), safety, desk, _writer(settings, desk), reranker)


def _shop(store: Database, settings: Settings) -> Shop:
    own = OwnShop(store)
    return RemoteShop(settings.shop_url, settings.shop_secret.get_secret_value(), own) if settings.shop_url else own


def _writer(settings: Settings, desk: Desk) -> Writer | None:
    if not settings.llm_url or settings.responder == "retrieval":
        return None
    model = ChatModel(settings.llm_url, settings.llm_key.get_secret_value(), settings.llm_model)
    return Writer(model, desk, spoken_safely)


def second_opinion(settings: Settings) -> Reranker | None:
    """The configured embeddings model; None: retrieval alone."""
    if not settings.embeddings_url:
        return None
    key = settings.embeddings_key.get_secret_value()
    return Reranker(Embeddings(settings.embeddings_url, key, settings.embeddings_model))


__all__ = ["compose", "second_opinion"]
