"""PURE: what the assistant can look up and do, as one typed port. Who asks comes from the connection, not from a text.

Implementations: `own.OwnShop` over our tables; `remote.RemoteShop` asks the shop's own system (docs/shop-connector.md).
"""

from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

T = TypeVar("T", covariant=True)
What = Literal["video", "swim", "touch", "visit"]


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom: every look-up is bound to this customer and this store."""

    customer: str
    store: str
    conversation: str
    now: str
    """ISO time in the store's zone."""


@dataclass(frozen=True, slots=True)
class StoreFacts:
    name: str
    name_en: str
    address: str
    address_en: str
    phone: str
    hours: dict[str, list[list[str]]]


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """`price_fen` in fen; `stock` pieces at the caller's store; `stage` 1 and 2 are formula of 0–12 months."""

    name: str
    name_en: str
    category: str
    stage: int | None
    price_fen: int
    stock: int
    label: str
    label_en: str


@dataclass(frozen=True, slots=True)
class PromotionFacts:
    """Dates are ISO and inclusive."""

    title: str
    title_en: str
    terms: str
    terms_en: str
    starts_on: str
    ends_on: str


@dataclass(frozen=True, slots=True)
class OrderFacts:
    id: str
    state: str
    carrier: str
    tracking: str
    eta: str
    placed_on: str


@dataclass(frozen=True, slots=True)
class MemberFacts:
    level: str
    points: int


@dataclass(frozen=True, slots=True)
class Appointment:
    """`starts_at` is ISO in the store's zone."""

    id: str
    what: What
    starts_at: str
    state: str


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """What a look-up gave. `stale`: an older answer, because the shop's system did not answer in time."""

    value: T
    stale: bool = False


class Shop(Protocol):
    """Raises `Broken` when it cannot tell, `Conflict` when what is asked cannot be done."""

    async def store(self, caller: Caller) -> Answered[StoreFacts]: ...

    async def products(self, caller: Caller, words: str) -> Answered[tuple[ProductFacts, ...]]: ...

    async def promotions(self, caller: Caller) -> Answered[tuple[PromotionFacts, ...]]: ...

    async def orders(self, caller: Caller) -> Answered[tuple[OrderFacts, ...]]: ...

    async def member(self, caller: Caller) -> Answered[MemberFacts | None]: ...

    async def appointments(self, caller: Caller) -> Answered[tuple[Appointment, ...]]: ...

    async def book(self, caller: Caller, what: What, starts_at: str) -> Appointment: ...

    async def change(self, caller: Caller, appointment: str, starts_at: str) -> Appointment: ...

    async def cancel(self, caller: Caller, appointment: str) -> Appointment: ...

    async def promised(self, caller: Caller) -> str | None:
        """When she is to be called back, as ISO; None: no call is to come."""

    async def call_back(self, caller: Caller, due_at: str, message: str) -> None:
        """Promises a call, or moves the one promised; `message` is what she wants the caller to know."""
