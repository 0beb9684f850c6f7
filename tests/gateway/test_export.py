"""The page a person keeps: complete, without scripts, labelled."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from gateway.export import files, lines, page
from signaling.protocol import (
    AppointmentBody,
    Body,
    CallRecordBody,
    Event,
    EventKind,
    FileBody,
    FileRef,
    ImageBody,
    NoticeBody,
    ProductBody,
    SpeechBody,
    TextBody,
    VoiceBody,
)

AT = "2026-11-22T09:00:00.000000Z"
REF = FileRef(id="f-1", media_type="image/jpeg", size=3, name="a.jpg")


def event(
    seq: int, kind: str = "message.sent", role: str = "customer", body: Body | None = None, **data: object
) -> Event:
    return Event(
        conversation="c",
        seq=seq,
        kind=EventKind(kind),
        sender="p",
        role=role,  # type: ignore[arg-type]
        at=AT,
        epoch=0,
        ai=role == "assistant",
        body=body,
        data=data,
    )


def shown(*events: Event, language: str = "zh") -> str:
    return page(lines(events), {"p": "安娜"}, language, AT)  # type: ignore[arg-type]


class Scan(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]


BODIES: list[tuple[Body, str]] = [
    (TextBody(text="你好"), "你好"),
    (SpeechBody(text="我听到了", call="k", turn=1, cut=True), "我听到了…"),
    (ImageBody(file=REF, width=3, height=4), 'src="media/f-1.jpg"'),
    (FileBody(file=REF), "a.jpg"),
    (VoiceBody(file=REF, duration_ms=2000, transcript="她哭了"), "她哭了"),
    (ProductBody(product="p", name="奶瓶", price_fen=5900), "奶瓶 ¥59.00"),
    (AppointmentBody(appointment="a", what="抚触", store="一店", starts_at="2026-12-01"), "抚触 · 一店"),
    (CallRecordBody(call="k", media="video", duration_ms=61000, reason="customer_left"), "视频通话 61 s"),
    (NoticeBody(code="advisor_joined", args={"name": "王"}), "advisor_joined name=王"),
]


def test_a_time_names_its_zone() -> None:
    assert ">2026-11-22 09:00:00 UTC</time>" in shown(event(1, body=TextBody(text="你好")))


def test_every_kind_is_shown() -> None:
    assert {type(body) for body, _ in BODIES} == set(Body.__origin__.__args__)  # type: ignore[attr-defined]
    for body, words in BODIES:
        assert words in shown(event(1, body=body))


def test_the_assistant_is_labelled() -> None:
    assert "AI 生成" in shown(event(1, role="assistant", body=TextBody(text="x")))
    assert "AI 生成" not in shown(event(1, body=TextBody(text="x")))


def test_edits_and_recalls() -> None:
    said = (event(1, body=TextBody(text="first")), event(2, body=TextBody(text="secret")))
    text = shown(*said, event(3, "message.edited", target=1, text="second"), event(4, "message.recalled", target=2))
    assert "second" in text
    assert "first" not in text
    assert "secret" not in text
    assert "已撤回" in text


def test_a_recalled_photo_is_not_exported() -> None:
    photo = event(1, body=ImageBody(file=REF, width=3, height=4))
    assert [file.id for file in files(lines([photo]))] == ["f-1"]
    assert not list(files(lines([photo, event(2, "message.recalled", target=1)])))


@given(
    st.text(st.characters(exclude_characters="\x00", codec="utf-8"), min_size=1, max_size=200)
    | st.sampled_from(["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
)
def test_no_words_become_markup(text: str) -> None:
    innocent = Scan(shown(event(1, body=TextBody(text="x")), event(2, body=FileBody(file=REF))))
    said = event(1, body=TextBody(text=text))
    attacked = Scan(shown(said, event(2, body=FileBody(file=REF.model_copy(update={"name": text})))))
    assert attacked.tags == innocent.tags
    assert attacked.attributes == innocent.attributes
