"""The manager's knowledge: entries and versions, import and export, trying a question, unanswered questions, scores."""

import asyncio
from dataclasses import asdict, replace
from secrets import token_hex
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import clock
from gateway.dialogue.embeddings import found_with
from gateway.dialogue.knowledge import Entry, Found, Hit, Knowledge
from gateway.dialogue.knowledge.entries import as_dict
from gateway.dialogue.knowledge.exchange import Fault, Told, decoded, parse_csv, parse_json, to_csv, to_json
from gateway.dialogue.teaching import Preview
from gateway.errors import BadInput
from gateway.http.ask import Ask, checked, first_fault
from gateway.http.trend import drawn
from gateway.store import audit, knowledge, teaching
from gateway.teaching import Published
from signaling.protocol import ErrorCode

PAGE = 500


def said(content: Any, status: int = 200) -> web.Response:
    return web.json_response(content, status=status)


def confirmed(ask: Ask) -> bool:
    return ask.request.query.get("confirm") == "true"


def drafted(content: dict[str, Any], id: str) -> Entry:
    """The body as an entry. Raises `BadInput`."""
    try:
        return Told.model_validate(content | {"id": id}).entry()
    except ValidationError as error:
        raise BadInput(detail=first_fault(error)) from None


def judged(preview: Preview) -> dict[str, Any]:
    return {
        "answered": list(preview.answered),
        "before": preview.before,
        "after": preview.after,
        "worse": preview.worse,
    }


async def entries(ask: Ask) -> web.StreamResponse:
    """?q=…&category=…: every live entry that fits, and how many there are."""
    chain, query = ask.person.chain, ask.request.query.get("q", "")[:200].lower()
    category = ask.request.query.get("category")
    async with ask.gateway.store.read() as connection:
        found = await knowledge.published(connection, chain)
    fits = [
        e
        for e in found
        if category in (None, "", e.category) and query in f"{e.id} {e.answer} {' '.join(e.asked())}".lower()
    ]
    return said({"items": [as_dict(e) for e in fits[:PAGE]], "total": len(fits)})


async def entry(ask: Ask) -> web.StreamResponse:
    async with ask.gateway.store.read() as connection:
        return said(as_dict(await knowledge.entry(connection, ask.person.chain, ask.part("entry"))))


async def versions(ask: Ask) -> web.StreamResponse:
    async with ask.gateway.store.read() as connection:
        return said({"items": await knowledge.versions(connection, ask.person.chain, ask.part("entry"))})


async def publish(ask: Ask) -> web.StreamResponse:
    """PUT: the next version. 409 with the numbers when the golden score would fall; `?confirm=true` goes on."""
    return await _publish(ask, drafted(await ask.content(), ask.part("entry")), None)


async def _publish(ask: Ask, wanted: Entry, cluster: str | None) -> web.StreamResponse:
    done = await _published(ask, [wanted], cluster)
    if not done.entries:
        return asks(done.judged)
    await _noted(ask, "knowledge.publish", f"{wanted.id} v{done.entries[0].version}")
    return said({"entry": as_dict(done.entries[0]), **judged(done.judged)})


async def _published(ask: Ask, wanted: list[Entry], cluster: str | None = None) -> Published:
    person, teacher = ask.person, ask.gateway.teaching
    return await teacher.publish(person.chain, wanted, person.id, confirmed=confirmed(ask), cluster=cluster)


def asks(preview: Preview, **more: Any) -> web.Response:
    """It would cost: the numbers, and how to go on."""
    detail = "this lowers the golden score; confirm=true does it anyway"
    return said({"code": str(ErrorCode.WRONG_STATE), "detail": detail, **judged(preview), **more}, 409)


async def _noted(ask: Ask, act: str, subject: str) -> None:
    at = clock.now()
    await ask.gateway.store.write(lambda c: audit.write(c, ask.person.id, act, subject, at=at))


async def preview(ask: Ask) -> web.StreamResponse:
    """POST an entry: which past questions it would answer, and the score before and after. Changes nothing."""
    content = await ask.content()
    found = await ask.gateway.teaching.judge(ask.person.chain, [drafted(content, str(content.get("id", "")))])
    return said(judged(found))


async def withdraw(ask: Ask) -> web.StreamResponse:
    chain, id, at = ask.person.chain, ask.part("entry"), clock.now()
    found = await ask.gateway.teaching.judge(chain, [], without=id)
    if found.worse and not confirmed(ask):
        return asks(found)
    await ask.gateway.store.write(lambda c: knowledge.withdraw(c, chain, id, at))
    await _noted(ask, "knowledge.withdraw", id)
    return said({"withdrawn": id, **judged(found)})


class Back(BaseModel):
    model_config = ConfigDict(extra="forbid")
    version: int = Field(ge=1)


async def roll_back(ask: Ask) -> web.StreamResponse:
    """POST {version}: publish an earlier version again, judged like a new one."""
    chain, id, version = ask.person.chain, ask.part("entry"), (await ask.read(Back)).version
    async with ask.gateway.store.read() as connection:
        old = await knowledge.version(connection, chain, id, version)
    done = await _published(ask, [old])
    if not done.entries:
        return asks(done.judged)
    await _noted(ask, "knowledge.roll_back", f"{id} to v{version}")
    return said(as_dict(done.entries[0]))


async def bring_in(ask: Ask) -> web.StreamResponse:
    """POST a CSV or JSON body. Good rows that change something are published, judged together; bad ones are reported.
    `?check=true` only reports; `?confirm=true` publishes what lowers the score."""
    text = decoded(await ask.request.read())
    read = parse_csv if "csv" in ask.request.content_type else parse_json
    found, faults = read(text, Told)
    if not found and not faults:
        faults = [Fault(0, "", "file", "empty", "no entries")]
    async with ask.gateway.store.read() as connection:
        before = {bare(entry) for entry in await knowledge.published(connection, ask.person.chain)}
    fresh = [entry for entry in found if bare(entry) not in before]
    report = {"good": len(found), "same": len(found) - len(fresh), "faults": [asdict(one) for one in faults[:1_000]]}
    if ask.request.query.get("check") == "true" or not fresh:
        return said(report | {"published": 0}, 200 if found else 422)
    done = await _published(ask, fresh)
    if not done.entries:
        return asks(done.judged, **report)
    await _noted(ask, "knowledge.import", f"{len(fresh)} entries")
    return said(report | {"published": len(fresh)})


def bare(entry: Entry) -> Entry:
    """Without its version: what it says."""
    return replace(entry, version=0)


async def take_out(ask: Ask) -> web.StreamResponse:
    """GET ?format=csv|json"""
    async with ask.gateway.store.read() as connection:
        found = await knowledge.published(connection, ask.person.chain)
    csv = ask.request.query.get("format") == "csv"
    name = f'attachment; filename="knowledge.{"csv" if csv else "json"}"'
    text, kind = (to_csv(found), "text/csv") if csv else (to_json(found), "application/json")
    return web.Response(text=text, content_type=kind, headers={"Content-Disposition": name})


class Trial(BaseModel):
    model_config = ConfigDict(extra="forbid")
    question: str = Field(min_length=1, max_length=1_000)
    store: str | None = None


async def try_out(ask: Ask) -> web.StreamResponse:
    """POST {question, store?}: what the assistant would find, and whether vectors had a say (`embeddings.Vectors`)."""
    trial = await ask.read(Trial)
    async with ask.gateway.store.read() as connection:
        found = await knowledge.published(connection, ask.person.chain)
    loop = asyncio.get_running_loop()
    hits = await loop.run_in_executor(ask.gateway.teaching.thread, _candidates, found, trial, clock.now()[:10])
    weighed, vectors = await found_with(ask.gateway.reranker, trial.question, hits)
    return said(_tried(weighed) | {"vectors": vectors})


def _candidates(entries: list[Entry], trial: Trial, today: str) -> list[Hit]:
    return Knowledge(entries).candidates(trial.question, trial.store, today)


def _tried(found: Found) -> dict[str, Any]:
    top = [{"id": h.entry.id, "question": h.entry.question, "confidence": round(h.confidence, 4)} for h in found.hits]
    return {"top": top, "decision": found.decision}


# ---------------------------------------------------------------- unanswered questions


async def unanswered(ask: Ask) -> web.StreamResponse:
    """GET ?state=open|answered|dismissed: clusters, largest first."""
    state = ask.request.query.get("state", "open")
    if state not in ("open", "answered", "dismissed"):
        raise BadInput(detail="state: open, answered or dismissed")
    async with ask.gateway.store.read() as connection:
        return said({"items": await teaching.clusters(connection, ask.person.chain, state)})


async def answer_cluster(ask: Ask) -> web.StreamResponse:
    """POST an entry (with its id): published, and the cluster is settled by it. May ask to confirm, like `publish`."""
    content = await ask.content()
    return await _publish(ask, drafted(content, str(content.get("id", ""))), ask.part("cluster"))


async def dismiss_cluster(ask: Ask) -> web.StreamResponse:
    chain, cluster = ask.person.chain, ask.part("cluster")
    rows = await ask.gateway.store.write(lambda c: teaching.settle(c, chain, cluster, "dismissed", None))
    return said({"dismissed": rows})


# ---------------------------------------------------------------- golden questions and scores


class Golden(BaseModel):
    model_config = ConfigDict(extra="forbid")
    question: str = Field(min_length=1, max_length=1_000)
    expect: str | None = Field(default=None, max_length=60)
    tags: tuple[str, ...] = Field(default=(), max_length=10)


async def golden(ask: Ask) -> web.StreamResponse:
    async with ask.gateway.store.read() as connection:
        return said({"items": await teaching.golden(connection, ask.person.chain)})


async def new_golden(ask: Ask) -> web.StreamResponse:
    """POST {question, expect, tags}: the id is made here."""
    chain = ask.person.chain
    row = (await ask.read(Golden)).model_dump(mode="json") | {"id": f"{chain[:40]}-{token_hex(6)}"}
    await ask.gateway.store.write(lambda c: teaching.add_golden(c, chain, [row]))
    return said(row, 201)


async def keep_golden(ask: Ask) -> web.StreamResponse:
    """PUT /golden/{id} {question, expect, tags}"""
    row = checked(Golden, await ask.content()).model_dump(mode="json") | {"id": ask.part("question")}
    chain = ask.person.chain
    if not row["id"].startswith(f"{chain[:40]}-"):
        raise BadInput(detail=f"id: begins with {chain[:40]}-")
    await ask.gateway.store.write(lambda c: teaching.add_golden(c, chain, [row]))
    return said(row)


async def drop_golden(ask: Ask) -> web.StreamResponse:
    chain, id = ask.person.chain, ask.part("question")

    async def job(connection: AsyncConnection) -> None:
        await teaching.drop_golden(connection, chain, id)

    await ask.gateway.store.write(job)
    return said({"dropped": id})


async def scores(ask: Ask) -> web.StreamResponse:
    """GET ?format=svg for the plot; else the numbers."""
    async with ask.gateway.store.read() as connection:
        rows = await teaching.trend(connection, ask.person.chain)
    if ask.request.query.get("format") == "svg":
        return web.Response(text=drawn(rows), content_type="image/svg+xml")
    return said({"items": rows})


async def measure(ask: Ask) -> web.StreamResponse:
    """POST: score the knowledge as it is now, and keep the score."""
    chain, at = ask.person.chain, clock.now()
    found = await ask.gateway.teaching.judge(chain, [])
    if not found.after:
        raise BadInput(detail="no golden questions")
    await ask.gateway.store.write(lambda c: teaching.add_score(c, chain, dict(found.after), at))
    return said({"at": at, "totals": found.after})
