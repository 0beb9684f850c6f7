"""Every kind of message in a running gateway: what the assistant cannot read goes to a person, a note gets words."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.events import Fact
from gateway.files.transcribe import transcribe
from gateway.settings import Settings
from media.errors import EngineFailed
from media.ports import Transcript
from signaling.protocol import (
    AppointmentBody,
    CallRecordBody,
    EventKind,
    NoticeBody,
    ProductBody,
)
from tests.gateway.files import crafted
from tests.gateway.served import Served, served

MOTHER, ADVISOR = "customer-lili", "advisor-chen"


async def attached(s: Served, conversation: str, content: bytes, purpose: str, name: str = "") -> dict[str, Any]:
    """The body of an uploaded file, by the use-case the HTTP edge calls."""
    async with s.gateway.store.read() as connection:
        from gateway.store import people

        person = await people.get(connection, MOTHER)
    assert person is not None

    async def chunks() -> Any:
        yield content

    uploads = s.gateway.uploads
    file = await uploads.begin(person, conversation, purpose, name, len(content))  # type: ignore[arg-type]
    await uploads.append(person, file.id, 0, chunks())
    return (await uploads.finish(person, file.id)).model_dump(mode="json")


async def test_a_photo_for_the_assistant_is_looked_at_by_a_person(settings: Settings) -> None:
    async with served(settings) as s:
        conversation = await s.conversation(MOTHER)
        async with s.connect(MOTHER) as phone:
            body = await attached(s, conversation, crafted.jpeg(), "image", "rash.jpg")
            ack = await phone.ask("message.send", conversation=conversation, body=body)
            assert ack["type"] == "ack"
            answer = await phone.event(kind="message.sent", role="assistant")
            assert "AI" in answer["body"]["text"]
            assert answer["ai"] is True
            await phone.event(kind="conversation.queued")


CARDS = (
    ProductBody(product="p1", name="奶瓶", price_fen=5900, facts="PPSU 240 ml"),
    AppointmentBody(appointment="a1", what="抚触", store="一店", starts_at="2026-12-01T10:00:00+08:00"),
    CallRecordBody(call="k1", media="video", duration_ms=61_000, reason="customer_left"),
    NoticeBody(code="advisor_joined", args={"name": "陈"}),
)


async def test_cards_reach_both_sides_history_and_export(settings: Settings) -> None:
    async with served(settings) as s:
        conversation = await s.conversation(MOTHER)
        async with s.connect(MOTHER) as phone, s.connect(ADVISOR, **{conversation: 0}) as desk:
            for n, card in enumerate(CARDS):
                content = card.model_dump(mode="json")
                fact = Fact(EventKind.MESSAGE_SENT, "assistant", "assistant", f"card-{n:04}", content)
                await s.gateway.chat.append(conversation, fact)
            for card in CARDS:
                for client in (phone, desk):
                    while (shown := await client.event(kind="message.sent"))["body"]["kind"] != card.kind:
                        pass
                    assert shown["body"] == card.model_dump(mode="json", exclude_none=True)
        status, page = await s.call(MOTHER, "GET", f"/api/v1/conversations/{conversation}/events?limit=100")
        kinds = [event["body"]["kind"] for event in page["events"] if event.get("body")]
        assert status == 200
        assert kinds[-4:] == [card.kind for card in CARDS]
        _, exported = await s.call(MOTHER, "GET", f"/api/v1/conversations/{conversation}/export?format=json")
        assert [e["body"] for e in exported["events"] if e.get("body")] == [
            e["body"] for e in page["events"] if e.get("body")
        ]


class Hearing:
    """A recognizer that heard this, however much it is fed; or fails, or takes for ever."""

    name = "fake"

    def __init__(self, heard: Transcript | Exception | None) -> None:
        self.heard, self.fed, self.closed = heard, 0.0, False

    def stream(self, language: str, hotwords: tuple[str, ...] = ()) -> "Hearing":
        return self

    def feed(self, chunk: Any) -> None:
        self.fed += chunk.seconds

    async def partial(self) -> None:
        return None

    async def final(self) -> Transcript:
        if isinstance(self.heard, Exception):
            raise self.heard
        if self.heard is None:
            await asyncio.Event().wait()
        assert isinstance(self.heard, Transcript)
        return self.heard

    def close(self) -> None:  # type: ignore[override]
        self.closed = True


TWO_SECONDS = bytes(2 * 2 * 16_000)


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        (Transcript("宝宝吐奶", final=True), "宝宝吐奶"),
        (Transcript("宝宝吐奶？", final=True, confirm=True), ""),
        (EngineFailed("fake", "no"), ""),
    ],
)
async def test_a_note_gets_its_words_or_none(heard: Transcript | Exception, text: str) -> None:
    ear = Hearing(heard)
    assert await transcribe(TWO_SECONDS, ear, "zh") == text  # type: ignore[arg-type]
    assert ear.closed
    assert ear.fed == pytest.approx(2.0)


async def test_a_recognizer_that_never_answers_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.files.transcribe.WITHIN_S", 0.05)
    assert await transcribe(TWO_SECONDS, Hearing(None), "zh") == ""  # type: ignore[arg-type]


async def test_a_voice_note_that_was_understood_is_answered(settings: Settings, tmp_path: Path) -> None:
    async with served(settings) as s:
        conversation = await s.conversation(MOTHER)
        s.gateway.uploads._recognizer = lambda: Hearing(Transcript("你们几点关门", final=True))  # type: ignore[assignment,return-value]
        note = crafted.recording(tmp_path / "r", "webm", "libopus", 2.0)
        body = await attached(s, conversation, note, "voice")
        assert body["transcript"] == "你们几点关门"
        async with s.connect(MOTHER) as phone:
            await phone.ask("message.send", conversation=conversation, body=body)
            answer = await phone.event(kind="message.sent", role="assistant")
            assert answer["data"]["decision"] != "handoff" or "看不了" not in answer["body"]["text"]
