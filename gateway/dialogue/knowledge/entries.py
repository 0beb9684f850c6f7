"""PURE: what the shop knows, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from signaling.protocol import Language

Category = Literal["shopping", "parenting", "logistics", "appointment", "promotion"]
CATEGORIES: tuple[Category, ...] = get_args(Category)


@dataclass(frozen=True, slots=True)
class Entry:
    """One question the shop answers. Dates are ISO and inclusive; `store` None means every store."""

    id: str
    question: str
    answer: str
    phrasings: tuple[str, ...] = ()
    question_en: str = ""
    answer_en: str = ""
    category: Category = "shopping"
    store: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    source: str = ""
    sensitive: bool = False
    version: int = 1

    def asked(self) -> tuple[str, ...]:
        """Every wording of the question."""
        return tuple(text for text in (self.question, self.question_en, *self.phrasings) if text)

    def told(self, language: Language) -> str:
        """The answer, in the other language where this one was not written."""
        return (self.answer_en or self.answer) if language == "en" else (self.answer or self.answer_en)

    def title(self, language: Language) -> str:
        return (self.question_en or self.question) if language == "en" else (self.question or self.question_en)

    def serves(self, store: str | None, today: str) -> bool:
        """In scope for this store and day. No store or no day asks for everything."""
        if store and self.store and self.store != store:
            return False
        return not today or ((self.valid_from or "") <= today and today <= (self.valid_to or "9999"))


def from_dict(row: Mapping[str, Any]) -> Entry:
    """From JSON or a table's row; fields that are not an entry's are left out."""
    values = {name: row[name] for name in FIELDS if row.get(name) is not None}
    return Entry(**values | {"phrasings": tuple(row.get("phrasings") or ())})


FIELDS = tuple(Entry.__dataclass_fields__)


def as_dict(entry: Entry) -> dict[str, Any]:
    """For JSON: tuples as lists, defaults kept."""
    return {name: getattr(entry, name) for name in FIELDS} | {"phrasings": list(entry.phrasings)}
