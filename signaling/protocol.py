"""Every message that crosses the wire, tagged by `type`; the one schema.

`web/src/protocol.gen.ts` is generated from `json_schema()` (`make types`). Names are `noun.verb`: imperative for
what a client asks (`message.send`), past tense for what happened (`event.appended`). Times are ISO-8601 UTC, spans
are milliseconds where the name says `_ms`. Order is `seq` (gapless integer per conversation), never a timestamp.

Flow::

    client                                   gateway
      hello(resume={conversation: seq})  ->
                                         <-  ready            (or error + close)
                                         <-  event.appended…  (everything after each resumed seq, in order)
      message.send(nonce)                ->
                                         <-  ack(nonce, seq)  (only after commit)
                                         <-  event.appended   (to every connection of every member, sender included)
      peer.offer(peer, sdp)              ->                   (a standby, or a leg about to be used)
                                         <-  peer.answered(peer, sdp)   (our candidates are in the answer)
      candidate.add(peer, …)             ->
      call.start(peer)                   ->
                                         <-  ack, call.changed…, caption.shown…
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

PROTOCOL_VERSION = 1
MAX_FRAME_BYTES = 64 * 1024
MAX_TEXT_CHARS = 4_000
MAX_SDP_CHARS = 64 * 1024
MAX_CANDIDATES = 40
MAX_M_LINES = 4
HISTORY_PAGE = 100

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_\-:.]+$")]
Nonce = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_\-]+$")]
Seq = Annotated[int, Field(ge=0, le=2**53 - 1)]
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS, pattern=r"^[^\x00]*$")]
"""Anything but NUL, which PostgreSQL cannot keep."""
Sdp = Annotated[str, Field(min_length=1, max_length=MAX_SDP_CHARS)]
Role = Literal["customer", "advisor", "assistant", "manager", "system"]
Language = Literal["zh", "en"]
MediaKind = Literal["voice", "video"]


class Wire(BaseModel):
    """Root of all wire models: unknown fields are refused, so a typo is an error and not silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ErrorCode(StrEnum):
    """What can be refused; the page words each code in both languages."""

    BAD_FRAME = "bad_frame"  # not JSON, not an object, or not UTF-8
    BAD_MESSAGE = "bad_message"  # known type, wrong fields
    UNKNOWN_TYPE = "unknown_type"
    TOO_LARGE = "too_large"
    TOO_FAST = "too_fast"  # rate; retry after `retry_after_ms`
    HELLO_FIRST = "hello_first"
    UNSUPPORTED_PROTOCOL = "unsupported_protocol"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"  # also: not yours
    NONCE_CONFLICT = "nonce_conflict"  # same nonce, other body
    STALE_EPOCH = "stale_epoch"  # somebody else owns the conversation now
    WRONG_STATE = "wrong_state"  # e.g. accept a conversation that is not queued
    TAKEN = "taken"  # another advisor was first
    RECALL_TOO_LATE = "recall_too_late"
    BAD_SDP = "bad_sdp"
    BAD_CANDIDATE = "bad_candidate"
    BAD_TICKET = "bad_ticket"
    NO_SUCH_PEER = "no_such_peer"
    CALL_LIMIT = "call_limit"  # this person already has a call
    BUSY = "busy"  # admission control; chat and callback still work
    PEER_FAILED = "peer_failed"  # ICE or DTLS never came up
    FILE_TYPE = "file_type"
    FILE_TOO_LARGE = "file_too_large"
    FILE_BROKEN = "file_broken"
    IMAGE_TOO_BIG = "image_too_big"  # pixels, not bytes
    UPLOAD_OFFSET = "upload_offset"
    STORAGE_FULL = "storage_full"
    STORAGE_BUSY = "storage_busy"
    UNAVAILABLE = "unavailable"  # a dependency is down; retry
    DRAINING = "draining"
    INTERNAL = "internal"


# ---------------------------------------------------------------- what a message can be


class Choice(Wire):
    """A tappable answer: `text` is shown and, when tapped, sent as the customer's words."""

    id: Id
    text: Annotated[str, Field(min_length=1, max_length=200)]


class Source(Wire):
    """A knowledge entry an answer was taken from."""

    id: Id
    title: Annotated[str, Field(max_length=200)]


class TextBody(Wire):
    kind: Literal["text"] = "text"
    text: Text
    choices: tuple[Choice, ...] = Field(default=(), max_length=8)
    sources: tuple[Source, ...] = Field(default=(), max_length=8)
    tel: Annotated[str, Field(max_length=20)] | None = None
    """A number shown as a tap-to-call button (`120` with a red flag)."""


class SpeechBody(Wire):
    """What was said aloud in a call. For the assistant `text` is what was *heard*; `cut` says she interrupted."""

    kind: Literal["speech"] = "speech"
    text: Text
    call: Id
    turn: int = Field(ge=0)
    cut: bool = False
    choices: tuple[Choice, ...] = Field(default=(), max_length=8)


class FileRef(Wire):
    """A stored file: `id` is the server's name for it, served at `/api/v1/files/{id}` after an access check."""

    id: Id
    media_type: Annotated[str, Field(max_length=100)]
    size: int = Field(ge=0)
    name: Annotated[str, Field(max_length=200)] = ""


class ImageBody(Wire):
    kind: Literal["image"] = "image"
    file: FileRef
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    preview: Annotated[str, Field(max_length=4_000)] = ""
    """A data: URL of a few hundred bytes, shown while the picture loads."""


class FileBody(Wire):
    kind: Literal["file"] = "file"
    file: FileRef


class VoiceBody(Wire):
    """A voice note. `waveform` is up to 64 loudness values 0..100."""

    kind: Literal["voice"] = "voice"
    file: FileRef
    duration_ms: int = Field(ge=0, le=300_000)
    waveform: tuple[Annotated[int, Field(ge=0, le=100)], ...] = Field(default=(), max_length=64)
    transcript: Annotated[str, Field(max_length=MAX_TEXT_CHARS)] = ""


class ProductBody(Wire):
    kind: Literal["product"] = "product"
    product: Id
    name: Annotated[str, Field(max_length=200)]
    price_fen: int = Field(ge=0)
    facts: Annotated[str, Field(max_length=500)] = ""


class AppointmentBody(Wire):
    kind: Literal["appointment"] = "appointment"
    appointment: Id
    what: Annotated[str, Field(max_length=200)]
    store: Annotated[str, Field(max_length=200)]
    starts_at: str
    state: Literal["proposed", "booked", "changed", "cancelled"] = "booked"


class CallRecordBody(Wire):
    kind: Literal["call_record"] = "call_record"
    call: Id
    media: MediaKind
    duration_ms: int = Field(ge=0)
    reason: Annotated[str, Field(max_length=40)]


class NoticeBody(Wire):
    """A system notice; the page words `code` in the reader's language."""

    kind: Literal["notice"] = "notice"
    code: Annotated[str, Field(max_length=60)]
    args: dict[str, str | int | float] = Field(default_factory=dict, max_length=16)


Body = Annotated[
    TextBody
    | SpeechBody
    | ImageBody
    | FileBody
    | VoiceBody
    | ProductBody
    | AppointmentBody
    | CallRecordBody
    | NoticeBody,
    Field(discriminator="kind"),
]

CustomerBody = Annotated[TextBody | ImageBody | FileBody | VoiceBody, Field(discriminator="kind")]
"""What a person may send. Everything else is written by the gateway."""


class EventKind(StrEnum):
    """Facts in a conversation's log. Each takes one seq."""

    MESSAGE_SENT = "message.sent"
    MESSAGE_EDITED = "message.edited"
    MESSAGE_RECALLED = "message.recalled"
    RECEIPT_MARKED = "receipt.marked"
    NOTE_ADDED = "note.added"  # staff only; the customer sees `hidden`
    CONVERSATION_STARTED = "conversation.started"
    CONVERSATION_QUEUED = "conversation.queued"
    CONVERSATION_ASSIGNED = "conversation.assigned"
    CONVERSATION_HANDED_BACK = "conversation.handed_back"
    CONVERSATION_WRAPPED_UP = "conversation.wrapped_up"
    CONVERSATION_RESOLVED = "conversation.resolved"
    CONVERSATION_REOPENED = "conversation.reopened"
    CALL_STARTED = "call.started"
    CALL_CHANGED = "call.changed"
    CALL_ENDED = "call.ended"
    RED_FLAG_RAISED = "red_flag.raised"
    RED_FLAG_CLEARED = "red_flag.cleared"
    FEEDBACK_GIVEN = "feedback.given"
    HIDDEN = "hidden"  # a seq this reader may not see; keeps the count gapless


class Event(Wire):
    """One row of the log, as a reader may see it. `data` holds what is not a body (see gateway.domain.events)."""

    conversation: Id
    seq: Seq
    kind: EventKind
    sender: Id
    role: Role
    at: str
    epoch: int = Field(ge=0)
    ai: bool = False
    """Written by the assistant: shown as a label, by law. The database refuses an assistant's row without it."""
    nonce: str | None = None
    """Only to the sender's own devices, so that they can match what they sent."""
    body: Body | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class Me(Wire):
    id: Id
    role: Role
    name: str
    store: str | None = None
    language: Language = "zh"


class BabyView(Wire):
    name: str
    born_on: str


class InboxItem(Wire):
    """A conversation as a line in a list."""

    conversation: Id
    customer: str
    customer_name: str
    store: str
    store_name: str = ""
    state: Literal["with_assistant", "queued", "assigned", "wrap_up", "resolved"]
    assignee: str | None = None
    assignee_name: str | None = None
    waiting_since: str | None = None
    handoff_reason: str | None = None
    last_seq: Seq
    last_text: str = ""
    last_at: str | None = None
    unread: int = 0
    call: str | None = None
    """The running call, if any."""
    red_flag: str | None = None
    """The sign, while it is not cleared."""
    callback_at: str | None = None
    """When the call she was promised is due: the first that is open; in the past, it is overdue."""
    callback_words: str = ""
    """What she said when she asked for it: a number, what it is about."""
    babies: tuple[BabyView, ...] = ()


CallState = Literal[
    "requested", "connecting", "with_assistant", "taking_over", "with_advisor", "handing_back", "reconnecting", "ended"
]


class CallView(Wire):
    """A call as every member may see it."""

    call: Id
    conversation: Id
    media: MediaKind
    state: CallState
    advisor: str | None = None
    advisor_name: str | None = None
    reason: str | None = None
    """Why it ended: `customer_left`, `advisor_left`, `never_connected`, `lost`, `replaced`, `draining`, `failed`."""
    started_at: str
    epoch: int = 0


class IceServer(Wire):
    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


class Waterfall(Wire):
    """Milliseconds since the tap, on the reporter's own clock; a step that did not happen is absent."""

    mode: Literal["standby", "trickle", "cold", "whip"]
    steps: dict[Annotated[str, Field(max_length=40)], Annotated[float, Field(ge=0, le=600_000)]] = Field(max_length=24)


# ---------------------------------------------------------------- client -> gateway


class Hello(Wire):
    type: Literal["hello"] = "hello"
    protocol: int = PROTOCOL_VERSION
    token: Annotated[str, Field(max_length=4_000)] | None = None
    """A session token; absent when the cookie of the handshake already says who this is."""
    resume: dict[Id, Seq] = Field(default_factory=dict, max_length=200)
    """The last seq applied, per conversation."""
    language: Language | None = None
    """What the page is shown in: fixed texts and calls begin in it; absent: what is known of the person."""


class Ping(Wire):
    type: Literal["ping"] = "ping"
    t: float = 0.0


class MessageSend(Wire):
    type: Literal["message.send"] = "message.send"
    conversation: Id
    nonce: Nonce
    body: CustomerBody


class MessageEdit(Wire):
    type: Literal["message.edit"] = "message.edit"
    conversation: Id
    nonce: Nonce
    target: Seq
    text: Text


class MessageRecall(Wire):
    type: Literal["message.recall"] = "message.recall"
    conversation: Id
    nonce: Nonce
    target: Seq


class NoteAdd(Wire):
    type: Literal["note.add"] = "note.add"
    conversation: Id
    nonce: Nonce
    text: Text


class ReceiptMark(Wire):
    """Watermarks: everything up to and including these seqs. They only grow."""

    type: Literal["receipt.mark"] = "receipt.mark"
    conversation: Id
    delivered: Seq = 0
    read: Seq = 0


class TypingSet(Wire):
    type: Literal["typing.set"] = "typing.set"
    conversation: Id
    on: bool


class LanguageSet(Wire):
    """The page is shown in another language: fixed texts and the next call follow."""

    type: Literal["language.set"] = "language.set"
    language: Language


class HistoryGet(Wire):
    """A page of events with `after < seq` or `seq < before`, ascending."""

    type: Literal["history.get"] = "history.get"
    nonce: Nonce
    conversation: Id
    after: Seq | None = None
    before: Seq | None = None
    limit: int = Field(default=HISTORY_PAGE, ge=1, le=500)


class ConversationOpen(Wire):
    """Advisor or manager: follow this conversation from `after` on (members need not ask)."""

    type: Literal["conversation.open"] = "conversation.open"
    nonce: Nonce
    conversation: Id
    after: Seq = 0


class ConversationLeave(Wire):
    type: Literal["conversation.leave"] = "conversation.leave"
    conversation: Id


class ConversationAct(Wire):
    """A decision on the conversation: see gateway.domain.conversation for who may do what when."""

    type: Literal["conversation.act"] = "conversation.act"
    conversation: Id
    nonce: Nonce
    act: Literal["ask_person", "accept", "hand_back", "wrap_up", "resolve", "clear_red_flag"]


class FeedbackGive(Wire):
    """Thumbs on an assistant's message, or a complaint about it."""

    type: Literal["feedback.give"] = "feedback.give"
    conversation: Id
    nonce: Nonce
    target: Seq
    verdict: Literal["up", "down", "complaint"]
    comment: Annotated[str, Field(max_length=1_000)] = ""


class InboxWatch(Wire):
    type: Literal["inbox.watch"] = "inbox.watch"
    nonce: Nonce


class AlarmAcknowledge(Wire):
    type: Literal["alarm.acknowledge"] = "alarm.acknowledge"
    alarm: Id
    nonce: Nonce


class PeerOffer(Wire):
    """A peer connection of this WebSocket connection. `peer` is the client's name for it; offering a name again
    replaces it. Audio and video are negotiated at once (sendrecv), so that nothing is renegotiated later."""

    type: Literal["peer.offer"] = "peer.offer"
    peer: Id
    sdp: Sdp


class CandidateAdd(Wire):
    type: Literal["candidate.add"] = "candidate.add"
    peer: Id
    candidate: Annotated[str, Field(max_length=1_000)]
    mid: Annotated[str, Field(max_length=32)] | None = None
    line: int | None = None


class PeerClose(Wire):
    type: Literal["peer.close"] = "peer.close"
    peer: Id


class CallStart(Wire):
    """The tap. `peer` is a connection offered before (standby) or in the frame just before this one."""

    type: Literal["call.start"] = "call.start"
    nonce: Nonce
    conversation: Id
    media: MediaKind
    peer: Id
    style: Literal["browser", "phone"] = "browser"


class CallResume(Wire):
    """Same call, new peer connection: after a network switch, a reload or a restart of the gateway."""

    type: Literal["call.resume"] = "call.resume"
    nonce: Nonce
    call: Id
    peer: Id


class CallLeave(Wire):
    type: Literal["call.leave"] = "call.leave"
    nonce: Nonce
    call: Id


class CallTakeOver(Wire):
    type: Literal["call.take_over"] = "call.take_over"
    nonce: Nonce
    call: Id
    peer: Id


class CallHandBack(Wire):
    type: Literal["call.hand_back"] = "call.hand_back"
    nonce: Nonce
    call: Id


class CallSay(Wire):
    """She types or taps a choice during a call: it is a turn like a spoken one."""

    type: Literal["call.say"] = "call.say"
    nonce: Nonce
    call: Id
    text: Text


class CallPress(Wire):
    """A key of the pad (also arrives as RFC 4733)."""

    type: Literal["call.press"] = "call.press"
    nonce: Nonce
    call: Id
    digit: Annotated[str, Field(pattern=r"^[0-9*#]$")]


class CallReport(Wire):
    """What the client measured: the join waterfall, or its own media statistics."""

    type: Literal["call.report"] = "call.report"
    call: Id
    waterfall: Waterfall | None = None
    stats: dict[Annotated[str, Field(max_length=40)], float] = Field(default_factory=dict, max_length=32)


ClientMessage = Annotated[
    Hello
    | Ping
    | MessageSend
    | MessageEdit
    | MessageRecall
    | NoteAdd
    | ReceiptMark
    | TypingSet
    | LanguageSet
    | HistoryGet
    | ConversationOpen
    | ConversationLeave
    | ConversationAct
    | FeedbackGive
    | InboxWatch
    | AlarmAcknowledge
    | PeerOffer
    | CandidateAdd
    | PeerClose
    | CallStart
    | CallResume
    | CallLeave
    | CallTakeOver
    | CallHandBack
    | CallSay
    | CallPress
    | CallReport,
    Field(discriminator="type"),
]


# ---------------------------------------------------------------- gateway -> client


class Ready(Wire):
    type: Literal["ready"] = "ready"
    protocol: int = PROTOCOL_VERSION
    connection: Id
    me: Me
    conversations: dict[Id, Seq]
    """Conversations this person is a member of, with their last seq."""
    calls: tuple[CallView, ...] = ()
    """Running calls of this person, to resume."""
    ice_servers: tuple[IceServer, ...] = ()
    heartbeat_s: float = 10.0
    server_time: str
    capabilities: dict[str, bool | str] = Field(default_factory=dict)
    """What this gateway can do now: `recognizer`, `synthesizer`, `responder` names; `voice`, `video`, `files`."""


class Pong(Wire):
    type: Literal["pong"] = "pong"
    t: float = 0.0


class Ack(Wire):
    """Done and durable. `seq` is 0 where the request wrote nothing; `call` names the call it started."""

    type: Literal["ack"] = "ack"
    nonce: Nonce
    conversation: Id | None = None
    seq: Seq = 0
    call: Id | None = None


class Error(Wire):
    """Refused. With `nonce`: that request. Without: the frame could not be read, or the connection is closing."""

    type: Literal["error"] = "error"
    code: ErrorCode
    nonce: str | None = None
    re: str | None = None
    """The type of the refused message."""
    peer: str | None = None
    detail: Annotated[str, Field(max_length=500)] = ""
    """For developers, in English, without personal text."""
    retry_after_ms: int | None = None


class EventAppended(Wire):
    type: Literal["event.appended"] = "event.appended"
    event: Event


class HistoryPage(Wire):
    type: Literal["history.page"] = "history.page"
    nonce: Nonce
    conversation: Id
    events: tuple[Event, ...]
    last_seq: Seq
    more: bool


class TypingShown(Wire):
    type: Literal["typing.shown"] = "typing.shown"
    conversation: Id
    party: Id
    role: Role
    on: bool


class InboxListed(Wire):
    type: Literal["inbox.listed"] = "inbox.listed"
    nonce: Nonce
    items: tuple[InboxItem, ...]


class InboxChanged(Wire):
    type: Literal["inbox.changed"] = "inbox.changed"
    item: InboxItem


class PeerAnswered(Wire):
    type: Literal["peer.answered"] = "peer.answered"
    peer: Id
    sdp: str


class PeerClosed(Wire):
    """`shed`: a standby given up under load; `failed`, `replaced`, `ended` otherwise."""

    type: Literal["peer.closed"] = "peer.closed"
    peer: Id
    reason: str


class CallChanged(Wire):
    type: Literal["call.changed"] = "call.changed"
    call: CallView


class CaptionShown(Wire):
    """Words of a running call. A later one with the same (call, role, turn) replaces it. For the assistant `lit` is
    how many characters have been *heard* so far."""

    type: Literal["caption.shown"] = "caption.shown"
    call: Id
    conversation: Id
    role: Role
    turn: int = Field(ge=0)
    text: str
    final: bool
    lit: int = Field(default=0, ge=0)
    choices: tuple[Choice, ...] = ()


class AlarmView(Wire):
    alarm: Id
    conversation: Id
    customer_name: str
    store: str
    store_name: str = ""
    sign: str
    action: str
    text: str
    at: str
    call: str | None = None
    acknowledged_by: str | None = None


class AlarmRaised(Wire):
    """A red flag, at advisors on duty and managers; again after 30 s without acknowledgement; gone when cleared."""

    type: Literal["alarm.raised"] = "alarm.raised"
    alarm: AlarmView


class AlarmAcknowledged(Wire):
    type: Literal["alarm.acknowledged"] = "alarm.acknowledged"
    alarm: Id
    by: str
    name: str = ""


class TurnMeasured(Wire):
    """The waterfall of one spoken turn; the parts add up to `response_ms` (end of her speech -> first sound)."""

    type: Literal["turn.measured"] = "turn.measured"
    call: Id
    conversation: Id
    turn: int
    parts_ms: dict[str, float]
    response_ms: float


class LineQuality(Wire):
    """`loss` 0..1; `mos`: estimate by the E-model, 1 to 4.41 (media.quality)."""

    mos: float
    loss: float
    jitter_ms: float
    rtt_ms: float | None = None


class LineMeasured(Wire):
    """One party's line over the last seconds, to staff. `up`: what the gateway hears of it; `down`: what it hears of
    us, as it says over RTCP; `page`: the same as its browser counts it."""

    type: Literal["line.measured"] = "line.measured"
    call: Id
    conversation: Id
    party: Literal["customer", "advisor"]
    ends: dict[Literal["up", "down", "page"], LineQuality]


class Lagged(Wire):
    """This reader is too slow: the connection closes, resume on a new one."""

    type: Literal["lagged"] = "lagged"


class IceRenewed(Wire):
    """TURN credentials are short-lived: these are for every peer connection made from now on."""

    type: Literal["ice.renewed"] = "ice.renewed"
    ice_servers: tuple[IceServer, ...]


class Draining(Wire):
    """The gateway is going down: reconnect after this long."""

    type: Literal["draining"] = "draining"
    reconnect_in_ms: int


ServerMessage = Annotated[
    Ready
    | Pong
    | Ack
    | Error
    | EventAppended
    | HistoryPage
    | TypingShown
    | InboxListed
    | InboxChanged
    | PeerAnswered
    | PeerClosed
    | CallChanged
    | CaptionShown
    | AlarmRaised
    | AlarmAcknowledged
    | TurnMeasured
    | LineMeasured
    | Lagged
    | IceRenewed
    | Draining,
    Field(discriminator="type"),
]

client_message: TypeAdapter[ClientMessage] = TypeAdapter(ClientMessage)
server_message: TypeAdapter[ServerMessage] = TypeAdapter(ServerMessage)


def json_schema() -> dict[str, Any]:
    """The whole protocol as one JSON Schema with `$defs`, roots `ClientMessage` and `ServerMessage`."""
    both: TypeAdapter[Any] = TypeAdapter(tuple[ClientMessage, ServerMessage])
    return both.json_schema()
