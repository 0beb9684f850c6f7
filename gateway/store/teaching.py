"""Rows of the teaching loop: unanswered questions in clusters, golden questions, scores over time."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.dialogue.evaluate import Question
from gateway.errors import NotYours
from gateway.store.knowledge import DEMO
from gateway.store.schema import golden_questions, scores, unanswered

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


async def note(
    connection: AsyncConnection, chain: str, conversation: str, seq: int, question: str, why: str, cluster: str, at: str
) -> bool:
    """A question nothing answered. The same message is noted once, whatever went wrong with it."""
    id = f"{conversation[:48]}:{seq}"
    taken = await connection.scalar(select(unanswered.c.id).where(unanswered.c.id == id))
    many = await connection.scalar(
        select(func.count()).where(unanswered.c.chain == chain, unanswered.c.state == "open")
    )
    if taken or int(many or 0) >= MAX_OPEN:
        return False
    values = {"id": id, "chain": chain, "conversation": conversation, "seq": seq, "question": question[:1_000]}
    values |= {"why": why, "cluster": cluster, "created_at": at, "draft": "", "state": "open"}
    await connection.execute(insert(unanswered).values(values))
    return True


async def propose(connection: AsyncConnection, conversation: str, draft: str) -> None:
    """What an advisor answered becomes the draft of the conversation's newest open question without one."""
    mine = (unanswered.c.conversation == conversation) & (unanswered.c.state == "open") & (unanswered.c.draft == "")
    newest = await connection.scalar(select(unanswered.c.id).where(mine).order_by(unanswered.c.seq.desc()).limit(1))
    if newest:
        await connection.execute(update(unanswered).where(unanswered.c.id == newest).values(draft=draft[:4_000]))


async def forget(connection: AsyncConnection, conversation: str, seq: int, words: str) -> None:
    """A recalled message is no question any more, and its words are nobody's draft."""
    mine = unanswered.c.conversation == conversation
    await connection.execute(delete(unanswered).where(mine, unanswered.c.seq == seq))
    if words:
        drafted = mine & (unanswered.c.draft == words[:4_000])
        await connection.execute(update(unanswered).where(drafted).values(draft=""))


async def clusters(connection: AsyncConnection, chain: str, state: str = "open") -> list[dict[str, Any]]:
    """Clusters, largest first: id, size, questions (newest first, up to 20), reasons, draft, last_at."""
    mine = (unanswered.c.chain == chain) & (unanswered.c.state == state)
    rows = (
        await connection.execute(select(unanswered).where(mine).order_by(unanswered.c.created_at.desc()))
    ).mappings()
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        one = found.setdefault(
            row["cluster"],
            {
                "cluster": row["cluster"],
                "size": 0,
                "questions": [],
                "why": {},
                "draft": "",
                "last_at": row["created_at"],
            },
        )
        one["size"] += 1
        one["why"][row["why"]] = one["why"].get(row["why"], 0) + 1
        one["draft"] = one["draft"] or row["draft"]
        if len(one["questions"]) < 20:
            one["questions"].append(row["question"])
    return sorted(found.values(), key=lambda one: -one["size"])


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
