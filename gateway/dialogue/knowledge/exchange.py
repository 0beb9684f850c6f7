"""PURE: entries from and to CSV and JSON, with an error report row by row: good rows come in, bad rows are named."""

import codecs
import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from gateway.dialogue.knowledge.entries import FIELDS, Category, Entry, as_dict

MAX_ENTRIES = 20_000
COLUMNS = tuple(name for name in FIELDS if name != "version")
_SPLIT = "|"
"""Between phrasings in a CSV cell."""
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row. `row` counts from 1, without the header."""

    row: int
    id: str
    field: str
    code: str
    """Of ours, or pydantic's error type: a page has its own words for it."""
    why: str

    def __str__(self) -> str:
        return f"row {self.row} ({self.id or 'no id'}): {self.field}: {self.why}"


class Draft(BaseModel):
    """An entry as people write it. Unknown fields are let through and dropped: exports of other systems have many.

    null is a field that was left out."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=True)

    id: str = Field(min_length=1, max_length=60)
    question: str = Field(min_length=1, max_length=300)
    answer: str = Field(default="", max_length=4_000)
    phrasings: tuple[str, ...] = Field(default=(), max_length=100)
    question_en: str = Field(default="", max_length=300)
    answer_en: str = Field(default="", max_length=4_000)
    category: Category = "shopping"
    store: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    source: str = Field(default="", max_length=300)
    sensitive: bool = False

    @model_validator(mode="before")
    @classmethod
    def _told(cls, row: object) -> object:
        return {name: value for name, value in row.items() if value is not None} if isinstance(row, dict) else row

    @field_validator("id", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value

    @field_validator("phrasings", mode="before")
    @classmethod
    def _worded(cls, value: object) -> object:
        many = (value,) if isinstance(value, str) else value
        if isinstance(many, list | tuple):
            return tuple(item.strip() for item in many if isinstance(item, str) and item.strip())
        return value

    @field_validator("valid_from", "valid_to")
    @classmethod
    def _day(cls, value: str | None) -> str | None:
        return date.fromisoformat(value).isoformat() if value else None

    def entry(self) -> Entry:
        return Entry(**self.model_dump())


class Told(Draft):
    """One that customers may be told: with an answer. (For scoring retrieval a question is enough.)"""

    @model_validator(mode="after")
    def _answers(self) -> Self:
        if not (self.answer or self.answer_en):
            raise PydanticCustomError("no_answer", "an answer is missing")
        return self


def decoded(raw: bytes) -> str:
    """UTF-8, or what spreadsheets write: UTF-16 with its mark, GBK in China. What fits none is read as it goes."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("gb18030", "replace")


def parse_json(text: str, draft: type[Draft] = Draft) -> tuple[list[Entry], list[Fault]]:
    """A JSON array of objects."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return [], [Fault(0, "", "file", "not_json", "not JSON")]
    if not isinstance(rows, list):
        return [], [Fault(0, "", "file", "not_array", "an array of entries is expected")]
    return _checked(rows, draft)


def parse_csv(text: str, draft: type[Draft] = Draft) -> tuple[list[Entry], list[Fault]]:
    """A header and rows; phrasings are separated by `|`; a spreadsheet's byte-order mark is fine."""
    try:
        rows = [_cells(row) for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))]
    except csv.Error as error:
        return [], [Fault(0, "", "file", "not_csv", str(error))]
    return _checked(rows, draft)


def _cells(row: Mapping[str | None, Any]) -> dict[str, Any]:
    kept = {name: value.removeprefix("'") for name, value in row.items() if name and isinstance(value, str) and value}
    if "phrasings" in kept:
        return kept | {"phrasings": kept["phrasings"].split(_SPLIT)}
    return kept


def _checked(rows: Iterable[Any], draft: type[Draft]) -> tuple[list[Entry], list[Fault]]:
    good: dict[str, Entry] = {}
    faults: list[Fault] = []
    for number, row in enumerate(rows, 1):
        id = str(row.get("id", ""))[:60] if isinstance(row, dict) else ""
        if number > MAX_ENTRIES:
            many = Fault(number, id, "file", "too_many", f"more than {MAX_ENTRIES} rows")
            return list(good.values()), [*faults, many]
        try:
            entry = draft.model_validate(row).entry()
        except ValidationError as error:
            faults += [Fault(number, id, str((e["loc"] or ("row",))[0]), e["type"], e["msg"]) for e in error.errors()]
            continue
        if entry.id in good:
            faults.append(Fault(number, id, "id", "seen_before", "seen before in this file"))
        else:
            good[entry.id] = entry
    return list(good.values()), faults


def to_json(entries: Iterable[Entry]) -> str:
    rows = [{name: value for name, value in as_dict(entry).items() if name in COLUMNS} for entry in entries]
    return json.dumps(rows, ensure_ascii=False, indent=1)


def to_csv(entries: Iterable[Entry]) -> str:
    """With a byte-order mark, so that a spreadsheet reads Chinese; cells that look like formulas are quoted."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for entry in entries:
        row = as_dict(entry) | {"phrasings": _SPLIT.join(entry.phrasings)}
        writer.writerow({name: _harmless(row[name]) for name in COLUMNS})
    return "\ufeff" + out.getvalue()


def _harmless(value: object) -> object:
    if value is False or value is None:
        return ""
    text = str(value)
    return f"'{text}" if text.startswith(_DANGEROUS) else text
