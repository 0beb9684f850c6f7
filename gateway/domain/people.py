"""PURE: who is who, and what each may see. The one place where reach is decided."""

from dataclasses import dataclass, field
from typing import Any, Literal

from signaling.protocol import Language, Me

PersonRole = Literal["customer", "advisor", "manager"]


@dataclass(frozen=True, slots=True)
class Person:
    """A row of `people`. `store` is set for advisors, and for customers who belong to one."""

    id: str
    chain: str
    role: PersonRole
    name: str
    store: str | None = None
    guest: bool = False
    on_duty: bool = False
    language: Language = "zh"
    member: dict[str, Any] = field(default_factory=dict)

    @property
    def staff(self) -> bool:
        return self.role != "customer"

    def me(self) -> Me:
        return Me(id=self.id, role=self.role, name=self.name, store=self.store, language=self.language)


def may_see(person: Person, *, chain: str, store: str, customer: str) -> bool:
    """A customer sees her own conversation, an advisor her store's, a manager her chain's."""
    match person.role:
        case "customer":
            return person.id == customer
        case "advisor":
            return person.chain == chain and person.store == store
        case "manager":
            return person.chain == chain
