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
        """
        from gateway.dialogue import second_opinion
        from gateway.settings import Settings

        entries = entries_of(knowledge)
        reranker = None if offline else second_opinion(Settings())
        verdicts, scores = score(entries, questions_of(questions), reranker)
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


def entries_of(path: Path | None) -> "list[Entry]":
    """Entries of a JSON file, or the demo's."""
    from gateway.dialogue.knowledge.exchange import parse_json
    from gateway.store.knowledge import demo_entries

    if path is None:
        return demo_entries()
    entries, faults = parse_json(text_of(path))
    if faults:
        raise SettingsBroken(detail="; ".join(f"{path.name} {fault}" for fault in faults[:5]))
    return entries


def questions_of(path: Path | None) -> "list[Question]":
    """Questions of a JSON-lines file, or the golden set."""
    from gateway.dialogue.evaluate import Question

    found = []
    for number, line in enumerate(text_of(path or GOLDEN).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            expect = row.get("expect")
            found.append(
                Question(str(row["question"]), None if expect is None else str(expect), tuple(row.get("tags") or ()))
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SettingsBroken(detail=f"{(path or GOLDEN).name} line {number}: {type(error).__name__}") from None
    return found


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
