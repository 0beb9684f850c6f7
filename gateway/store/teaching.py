"""Rows of the teaching loop: unanswered questions in clusters, golden questions, scores over time."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.dialogue.evaluate import Question
from gateway.errors import NotYours
from gateway.store.knowledge import DEMO
from gateway.store.schema import golden_questions, scores, unanswered

WHYS = ("low_confidence", "miss", "handoff", "thumbs_down", "complaint")
"""From the least to the gravest."""
MAX_OPEN = 2_000
"""Open rows of a chain; beyond, new ones are let go: the manager has more than she can read."""


async def open_questions(connection: AsyncConnection, chain: str, limit: int = MAX_OPEN) -> list[tuple[str, str]]:
    """(cluster, question) of what is not yet settled, newest first."""
    mine = (unanswered.c.chain == chain) & (unanswered.c.state == "open")
    query = select(unanswered.c.cluster, unanswered.c.question).where(mine)
    return [
        (row[0], row[1])
        for row in await connection.execute(query.order_by(unanswered.c.created_at.desc()).limit(limit))
    ]


@dataclass(frozen=True, slots=True)
class Noted:
    """A question something is wrong with: not answered, or answered badly (`comment`: her complaint)."""

    conversation: str
    seq: int
    question: str
    why: str
    comment: str = ""


async def note(connection: AsyncConnection, chain: str, noted: Noted, cluster: str, at: str) -> bool:
    """The same message is noted once, for the gravest that went wrong with it; a complaint opens it again."""
    id = f"{noted.conversation[:48]}:{noted.seq}"
    said = {"why": noted.why, "comment": noted.comment[:1_000]}
    before = await connection.scalar(select(unanswered.c.why).where(unanswered.c.id == id))
    if before is not None:
        if WHYS.index(noted.why) <= WHYS.index(before) and noted.why != WHYS[-1]:
            return False
        await connection.execute(update(unanswered).where(unanswered.c.id == id).values(**said, state="open"))
        return True
    open_ = (unanswered.c.chain == chain) & (unanswered.c.state == "open")
    if int(await connection.scalar(select(func.count()).where(open_)) or 0) >= MAX_OPEN:
        return False
    values = {"id": id, "chain": chain, "conversation": noted.conversation, "seq": noted.seq} | said
    values |= {"question": noted.question[:1_000], "cluster": cluster, "created_at": at, "draft": "", "state": "open"}
    await connection.execute(insert(unanswered).values(values))
    return True


async def asked_before(connection: AsyncConnection, conversation: str, seq: int) -> list[tuple[str, str, str]]:
    """(id, question, draft) of the conversation's open questions before `seq`, newest first."""
    mine = (unanswered.c.conversation == conversation) & (unanswered.c.state == "open") & (unanswered.c.seq < seq)
    query = select(unanswered.c.id, unanswered.c.question, unanswered.c.draft).where(mine)
    return [(row[0], row[1], row[2]) for row in await connection.execute(query.order_by(unanswered.c.seq.desc()))]


async def propose(connection: AsyncConnection, id: str, draft: str) -> None:
    """What an advisor answered becomes the draft."""
    await connection.execute(update(unanswered).where(unanswered.c.id == id).values(draft=draft[:4_000]))


async def forget(connection: AsyncConnection, conversation: str, seq: int, words: str) -> None:
    """A recalled message is no question any more, and its words are nobody's draft."""
    mine = unanswered.c.conversation == conversation
    await connection.execute(delete(unanswered).where(mine, unanswered.c.seq == seq))
    if words:
        drafted = mine & (unanswered.c.draft == words[:4_000])
        await connection.execute(update(unanswered).where(drafted).values(draft=""))


async def clusters(connection: AsyncConnection, chain: str, state: str = "open") -> list[dict[str, Any]]:
    """Clusters, those complained about first, then the largest: id, size, questions (newest first, up to 20), reasons,
    draft, last_at, complaints, and where the newest was asked."""
    mine = (unanswered.c.chain == chain) & (unanswered.c.state == state)
    rows = (
        await connection.execute(select(unanswered).where(mine).order_by(unanswered.c.created_at.desc()))
    ).mappings()
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        where = {"conversation": row["conversation"], "seq": row["seq"]}
        one = found.setdefault(
            row["cluster"],
            {
                "cluster": row["cluster"],
                "size": 0,
                "questions": [],
                "why": {},
                "draft": "",
                "last_at": row["created_at"],
                "complaints": [],
                **where,
            },
        )
        one["size"] += 1
        one["why"][row["why"]] = one["why"].get(row["why"], 0) + 1
        one["draft"] = one["draft"] or row["draft"]
        if row["why"] == "complaint":
            one["complaints"].append({"comment": row["comment"], **where})
        if len(one["questions"]) < 20:
            one["questions"].append(row["question"])
    return sorted(found.values(), key=lambda one: (not one["complaints"], -one["size"]))


async def settle(connection: AsyncConnection, chain: str, cluster: str, state: str, entry: str | None) -> int:
    """Close a cluster as `answered` (by an entry) or `dismissed`. How many rows."""
    mine = (unanswered.c.chain == chain) & (unanswered.c.cluster == cluster) & (unanswered.c.state == "open")
    done = await connection.execute(update(unanswered).where(mine).values(state=state, entry=entry))
    if done.rowcount == 0:
        raise NotYours(detail="no such open cluster")
    return int(done.rowcount)


async def golden(connection: AsyncConnection, chain: str) -> list[dict[str, Any]]:
    """The chain's golden questions: id, question, expect, tags."""
    query = select(golden_questions).where(golden_questions.c.chain == chain).order_by(golden_questions.c.id)
    names = ("id", "question", "expect", "tags")
    return [{name: row[name] for name in names} for row in (await connection.execute(query)).mappings()]


def as_questions(rows: Sequence[dict[str, Any]]) -> list[Question]:
    return [Question(row["question"], row["expect"], tuple(row["tags"] or ())) for row in rows]


async def add_golden(connection: AsyncConnection, chain: str, rows: Sequence[dict[str, Any]]) -> None:
    """Rows of {id, question, expect, tags}; an id that is there already is replaced."""
    for row in rows:
        await connection.execute(delete(golden_questions).where(golden_questions.c.id == row["id"]))
    if rows:
        await connection.execute(insert(golden_questions), [row | {"chain": chain} for row in rows])


async def drop_golden(connection: AsyncConnection, chain: str, id: str) -> None:
    mine = (golden_questions.c.chain == chain) & (golden_questions.c.id == id)
    if (await connection.execute(delete(golden_questions).where(mine))).rowcount == 0:
        raise NotYours(detail="no such question")


async def seed_golden(connection: AsyncConnection, chain: str) -> int:
    """The demo's golden questions, where the chain has none."""
    if await connection.scalar(select(func.count()).where(golden_questions.c.chain == chain)):
        return 0
    lines = (DEMO / "golden.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) | {"id": f"{chain[:40]}-g{n:04}"} for n, line in enumerate(lines, 1) if line.strip()]
    await add_golden(connection, chain, rows)
    return len(rows)


async def add_score(connection: AsyncConnection, chain: str, totals: dict[str, Any], at: str) -> None:
    last = await connection.scalar(select(func.max(scores.c.n)))
    await connection.execute(insert(scores).values(n=(last or 0) + 1, chain=chain, at=at, totals=totals))


async def trend(connection: AsyncConnection, chain: str, limit: int = 200) -> list[dict[str, Any]]:
    """Scores, oldest first: at, totals."""
    query = select(scores.c.at, scores.c.totals).where(scores.c.chain == chain).order_by(scores.c.n.desc()).limit(limit)
    rows = [{"at": row["at"], "totals": row["totals"]} for row in (await connection.execute(query)).mappings()]
    return rows[::-1]
