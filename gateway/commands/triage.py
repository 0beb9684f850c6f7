"""`nestcall triage`: red flags of many talks at once, as JSON lines, for whoever signs the list."""

import sys
from collections.abc import Iterable, Iterator
from typing import Annotated

import typer
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

MAX_TURNS = 1_000


class Case(BaseModel):
    """One line of input."""

    model_config = ConfigDict(extra="ignore", strict=True)

    turns: Annotated[list[str], Field(min_length=1, max_length=MAX_TURNS)]
    age_days: Annotated[int, Field(ge=0, le=40_000)] | None = None

    @field_validator("age_days", mode="before")
    @classmethod
    def _whole(cls, value: object) -> object:
        """A table with gaps writes its whole numbers as 30.0."""
        return int(value) if isinstance(value, float) and value.is_integer() else value


class Verdict(BaseModel):
    sign: str | None
    action: str | None
    why: str | None


class Trouble(Verdict):
    """A line that was not judged: it has no sign, which says nothing about the child."""

    error: str
    line: int


def judge(case: Case) -> Verdict:
    from gateway.dialogue.safety import check

    flag = check(case.turns, case.age_days)
    return (
        Verdict(sign=flag.sign, action=flag.action, why=flag.why) if flag else Verdict(sign=None, action=None, why=None)
    )


def triage(lines: Iterable[bytes]) -> Iterator[Verdict | Trouble]:
    """One answer per non-empty line, in order; a line that cannot be read is answered with its error."""
    for number, line in enumerate(lines, 1):
        line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        try:
            yield judge(Case.model_validate_json(line))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(map(str, first["loc"]))
            said = f"{where}: {first['msg']}" if where else first["msg"]
            yield Trouble(sign=None, action=None, why=None, error=said, line=number)


def register(app: typer.Typer) -> None:
    @app.command("triage")
    def run() -> None:
        """Read JSON lines {"turns": [...], "age_days": optional} from stdin; write {"sign", "action", "why"} for each.

        Exit code 2 when any line could not be read.
        """
        failed = False
        for answer in triage(sys.stdin.buffer):
            failed |= isinstance(answer, Trouble)
            sys.stdout.write(answer.model_dump_json() + "\n")
            sys.stdout.flush()
        raise typer.Exit(2 if failed else 0)
