"""The WebSocket itself against a real gateway: bad frames, a reader that does not read, draining, two devices."""

import asyncio
import json
import random

import aiohttp
import pytest

from gateway.settings import Settings
from signaling import socket as shell
from signaling.protocol import TypingShown
from tests.gateway.served import served

MOTHER, ADVISOR = "customer-lili", "advisor-chen"


def malformed(dice: random.Random) -> str | bytes:
    """Something no client of ours would send."""
    valid = json.dumps({"type": "message.send", "conversation": "c-1", "nonce": "nonce-01", "body": {"kind": "text"}})
    cut = dice.randrange(len(valid))
    return dice.choice(
        (
            valid[:cut],
            valid[:cut] + chr(dice.randrange(32, 0xD7FF)) + valid[cut:],
            dice.randbytes(dice.randrange(1, 80)),
            json.dumps({"type": "".join(dice.choices("abc.é", k=6))}),
            json.dumps(
                {"type": "receipt.mark", "conversation": "c", "delivered": dice.choice((-1, 2**60, "x", None, 1.5))}
            ),
            json.dumps([[[]]] * dice.randrange(9)),
            "[" * dice.randrange(1, 3000),
            '{"type": "hello", "resume": ' + json.dumps({f"c{n}": -n for n in range(3)}) + "}",
        )
    )


async def test_each_malformed_frame_gets_its_coded_error_and_nobody_else_notices(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell.machine, "RATE_PER_S", 1e9)
    dice = random.Random(4)
    async with served(settings, watched=True) as s:
        conversation = await s.conversation(MOTHER)
        async with s.connect(MOTHER) as rude, s.connect(MOTHER) as polite:
            for _ in range(2_000):
                frame = malformed(dice)
                await (rude.socket.send_bytes(frame) if isinstance(frame, bytes) else rude.socket.send_str(frame))
                answer = await rude.next()
                assert answer["type"] == "error", frame
                assert answer["code"] in ("bad_frame", "bad_message", "unknown_type"), frame
            assert (await polite.send(conversation, "还在"))["type"] == "ack"
            assert (await rude.send(conversation, "我也在"))["type"] == "ack"


async def test_too_much_too_fast_is_told_when_to_come_back(settings: Settings) -> None:
    async with served(settings, watched=True) as s, s.connect(MOTHER) as client:
        for _ in range(400):
            await client.say("ping")
        refused = await client.until("error")
        assert refused["code"] == "too_fast"
        assert refused["retry_after_ms"] > 0


async def test_who_does_not_read_is_told_lagged_and_resumes_without_a_gap(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "MAX_OUTGOING", 20)
    async with served(settings, watched=True) as s:
        conversation = await s.conversation(MOTHER)
        async with s.connect(MOTHER) as client:
            # One turn of the loop fills the queue: its writer had no chance, as with a reader that never reads.
            for n in range(40):
                s.gateway.hub.flash(
                    conversation, TypingShown(conversation=conversation, party=ADVISOR, role="advisor", on=n % 2 == 0)
                )
            assert await client.until("lagged")
            closed = await client.socket.receive(timeout=5)
            assert closed.type == aiohttp.WSMsgType.CLOSE
            assert closed.data == 4413
        monkeypatch.setattr(shell, "MAX_OUTGOING", 512)
        for n in range(5):
            await s.call(
                MOTHER, "POST", f"/api/v1/conversations/{conversation}/events", nonce=f"nonce-{n:04}", body=words(n)
            )
        async with s.connect(MOTHER, **{conversation: 0}) as client:
            last = client.ready["conversations"][conversation]
            await client.event(seq=last)
            assert client.seqs(conversation) == list(range(1, last + 1))


def words(n: int) -> dict[str, str]:
    return {"kind": "text", "text": f"第 {n} 句"}


async def test_a_long_absence_is_caught_up_in_order_while_others_write_on(settings: Settings) -> None:
    async with served(settings, watched=True) as s:
        conversation = await s.conversation(MOTHER)
        async with s.connect(ADVISOR) as desk:
            await desk.ask("conversation.act", conversation=conversation, act="accept")
            for n in range(450):
                await desk.send(conversation, f"line {n}") if n % 30 else await asyncio.sleep(0)

            async def writing() -> None:
                for n in range(30):
                    await desk.send(conversation, f"more {n}")

            more = asyncio.create_task(writing())
            async with s.connect(MOTHER, **{conversation: 0}) as client:
                await more
                last = (await s.call(MOTHER, "GET", f"/api/v1/conversations/{conversation}"))[1]["last_seq"]
                await client.event(seq=last)
                assert client.seqs(conversation) == list(range(1, last + 1))


async def test_receipts_grow_and_are_events_only_then(settings: Settings) -> None:
    async with served(settings, watched=True) as s:
        conversation = await s.conversation(MOTHER)
        async with s.connect(MOTHER) as phone, s.connect(ADVISOR) as desk:
            await desk.ask("conversation.act", conversation=conversation, act="accept")
            await phone.event(kind="conversation.assigned")
            ack = await desk.send(conversation, "您好")
            for seq in (1, 2, ack["seq"], 10**9, 3):
                await phone.say("receipt.mark", conversation=conversation, delivered=seq, read=min(seq, ack["seq"]))
            receipt = await desk.event(kind="receipt.marked")
            assert receipt["data"] == {"party": MOTHER, "delivered": ack["seq"], "read": ack["seq"]}
            await phone.say("receipt.mark", conversation=conversation, delivered=1, read=1)
            await s.gateway.receipts.flush()
            page = (await s.call(MOTHER, "GET", f"/api/v1/conversations/{conversation}/events"))[1]
            assert [event["kind"] for event in page["events"]].count("receipt.marked") == 1


async def test_draining_says_so_and_closes(settings: Settings) -> None:
    async with served(settings, watched=True) as s, s.connect(MOTHER) as client:
        s.gateway.sockets.drain()
        assert (await client.until("draining"))["reconnect_in_ms"] > 0
        closed = await client.socket.receive(timeout=5)
        assert closed.data == 1001
        async with s.http.get(s.url + "/readyz") as ready:
            assert ready.status == 503


async def test_a_link_leaves_nothing_behind(settings: Settings) -> None:
    async with served(settings, watched=True) as s:
        before = len(asyncio.all_tasks())
        for _ in range(5):
            async with s.connect(MOTHER) as client:
                await client.say("ping")
        async with asyncio.timeout(10):
            while len(s.gateway.sockets) or len(asyncio.all_tasks()) > before:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert not s.gateway.hub.online(MOTHER)
