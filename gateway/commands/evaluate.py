"""`nestcall evaluate`: how well a knowledge base answers a list of questions. No database needed."""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import typer

from gateway.errors import BadInput, SettingsBroken

if TYPE_CHECKING:
    from gateway.dialogue.embeddings import Reranker
    from gateway.dialogue.evaluate import Question, Verdict
    from gateway.dialogue.knowledge import Entry

GOLDEN = Path(__file__).parent.parent / "demo" / "golden.jsonl"
SPARE = 6
"""Entries that fill `top` up to three: twice three, should the found ones be among them."""
MAX_BYTES = 50 * 1024 * 1024


def register(app: typer.Typer) -> None:
    @app.command("evaluate")
    def evaluate(
        knowledge: Path | None = typer.Option(
            None, help='JSON: [{"id", "question", "phrasings", "answer"}]; default: the demo'
        ),
        questions: Path | None = typer.Option(
            None, help='JSON lines: {"question", "expect": id or null}; default: golden set'
        ),
        as_json: bool = typer.Option(False, "--json", help="print one JSON object"),
        offline: bool = typer.Option(False, help="leave a configured embeddings model (NESTCALL_EMBEDDINGS_URL) out"),
        fail_under: float = typer.Option(0.0, help="exit with 2 when coverage at 95 % precision is lower (0..1)"),
    ) -> None:
        """Score retrieval: answered right, coverage at 95 % precision, wrong answers, abstention, latency.

        With an embeddings model configured, its second opinion is asked as the live assistant asks it.
        What cannot be read is left out and named, on stderr and in `faults`.
        """
        from gateway.dialogue import second_opinion
        from gateway.settings import Settings

        entries, left_out = read_entries(knowledge)
        asked, unread = read_questions(questions)
        reranker = None if offline else second_opinion(Settings())
        verdicts, scores = score(entries, asked, reranker)
        scores["faults"] = [*left_out, *unread, *unknown(entries, asked)]
        for fault in scores["faults"]:
            typer.echo(f"nestcall: {fault}", err=True)
        if as_json:
            ids = [entry.id for entry in entries[:SPARE]]
            json.dump({"questions": [v.as_dict(ids) for v in verdicts], **scores}, sys.stdout, ensure_ascii=False)
            typer.echo()
        else:
            show(verdicts, scores)
        if scores["coverage_at_95"] < fail_under:
            raise typer.Exit(2)


def score(
    entries: "list[Entry]", questions: "list[Question]", reranker: "Reranker | None" = None
) -> "tuple[list[Verdict], dict[str, Any]]":
    """Verdicts and totals; latencies in milliseconds; how often vectors had a say (`embeddings.Vectors`)."""
    from gateway.dialogue.embeddings import found_with
    from gateway.dialogue.evaluate import judge, totals
    from gateway.dialogue.knowledge import Found, Knowledge

    began = perf_counter()
    base = Knowledge(entries)
    built = perf_counter() - began
    verdicts, spans = [], []
    vectors: Counter[str] = Counter()
    with asyncio.Runner() as runner:

        def search(text: str) -> Found:
            found, had_a_say = runner.run(found_with(reranker, text, base.candidates(text)))
            vectors[had_a_say] += 1
            return found

        for asked in questions:
            began = perf_counter()
            verdicts.append(judge(asked, search))
            spans.append(1_000 * (perf_counter() - began))
    spans.sort()
    latency = (
        {f"p{p}": round(spans[min(len(spans) - 1, len(spans) * p // 100)], 3) for p in (50, 95, 99)} if spans else {}
    )
    return verdicts, totals(verdicts) | {
        "entries": len(entries),
        "build_ms": round(1_000 * built, 1),
        "latency_ms": latency,
        "vectors": dict(vectors),
    }


def read_entries(path: Path | None) -> "tuple[list[Entry], list[str]]":
    """Entries of a JSON file, or the demo's; and the rows that had to be left out."""
    from gateway.dialogue.knowledge.exchange import parse_json
    from gateway.store.knowledge import demo_entries

    if path is None:
        return demo_entries(), []
    entries, faults = parse_json(text_of(path))
    named = [f"{path.name} {fault}" for fault in faults]
    if faults and not entries:
        raise SettingsBroken(detail="; ".join(named[:5]))
    return entries, named


def read_questions(path: Path | None) -> "tuple[list[Question], list[str]]":
    """Questions of a JSON-lines file, or the golden set; and the lines that could not be read."""
    found, unread = [], []
    for number, line in enumerate(text_of(path or GOLDEN).split("\n"), 1):  # splitlines would cut at U+2028, too
        if not line.strip():
            continue
        try:
            found.append(question_of(json.loads(line)))
        except (ValueError, RecursionError) as error:
            why = "not JSON" if isinstance(error, json.JSONDecodeError | RecursionError) else str(error)
            unread.append(f"{(path or GOLDEN).name} line {number}: {why}")
    if unread and not found:
        raise SettingsBroken(detail="; ".join(unread[:5]))
    return found, unread


def question_of(row: object) -> "Question":
    """One line; a ValueError says what is wrong with it."""
    from gateway.dialogue.evaluate import Question

    if not isinstance(row, dict) or not isinstance(row.get("question"), str):
        raise ValueError('"question" should be a text')
    expect, tags = row.get("expect"), row.get("tags") or ()
    if not isinstance(expect, str | int | None):
        raise ValueError('"expect" should be an id or null')
    return Question(
        row["question"], None if expect is None else str(expect), (tags,) if isinstance(tags, str) else tuple(tags)
    )


def unknown(entries: "list[Entry]", asked: "list[Question]") -> list[str]:
    """Ids that are expected and not there: their questions count as misses, which may not be what was meant."""
    missing = {q.expect for q in asked if q.expect is not None} - {entry.id for entry in entries}
    return [f"expected id {id} is not in the knowledge" for id in sorted(missing)]


def text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(detail=f"{path.name}: larger than {MAX_BYTES} bytes")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsBroken(detail=f"{path}: {type(error).__name__}") from None


def show(verdicts: "list[Verdict]", scores: dict[str, Any]) -> None:
    """A table for people: totals, then by tag."""
    from rich.console import Console
    from rich.table import Table

    from gateway.dialogue.evaluate import totals

    groups = {"all": verdicts}
    for tag in sorted({tag for v in verdicts for tag in v.asked.tags}):
        groups[tag] = [v for v in verdicts if tag in v.asked.tags]
    columns = ("asked", "top1", "top3", "coverage_at_95", "answered", "answered_wrong", "abstained", "handed_off")
    vectors = ", ".join(f"{name} {count}" for name, count in scores["vectors"].items())
    table = Table(title=f"{scores['entries']} entries · {scores['latency_ms']} ms a question · embeddings: {vectors}")
    for name in ("", *columns):
        table.add_column(name, justify="right" if name else "left")
    for name, group in groups.items():
        row = totals(group)
        table.add_row(name, *(f"{row[c]:.1%}" if isinstance(row[c], float) else str(row[c]) for c in columns))
    Console().print(table)
