// Generated from signaling/protocol.py by scripts/gen-types (`make types`). Do not edit.

export const PROTOCOL_VERSION = 1;

export const MAX_FRAME_BYTES = 65536;

export const MAX_TEXT_CHARS = 4000;

export const MAX_CANDIDATES = 40;

export const HISTORY_PAGE = 100;

export type Role = "customer" | "advisor" | "assistant" | "manager" | "system";

export type Language = "zh" | "en";

export type MediaKind = "voice" | "video";

export type CallState = "requested" | "connecting" | "with_assistant" | "taking_over" | "with_advisor" | "handing_back" | "reconnecting" | "ended";

export type Body = TextBody | SpeechBody | ImageBody | FileBody | VoiceBody | ProductBody | AppointmentBody | CallRecordBody | NoticeBody;

export type CustomerBody = TextBody | ImageBody | FileBody | VoiceBody;

/** Done and durable. `seq` is 0 where the request wrote nothing; `call` names the call it started. */
export interface Ack {
  readonly type: "ack";
  readonly nonce: string;
  readonly conversation?: string | null;
  readonly seq: number;
  readonly call?: string | null;
}

export interface AlarmAcknowledge {
  readonly type: "alarm.acknowledge";
  readonly alarm: string;
  readonly nonce: string;
}

export interface AlarmAcknowledged {
  readonly type: "alarm.acknowledged";
  readonly alarm: string;
  readonly by: string;
  readonly name: string;
}

/** A red flag, at advisors on duty and managers; again after 30 s without acknowledgement; gone when cleared. */
export interface AlarmRaised {
  readonly type: "alarm.raised";
  readonly alarm: AlarmView;
}

export interface AlarmView {
  readonly alarm: string;
  readonly conversation: string;
  readonly customer_name: string;
  readonly store: string;
  readonly store_name: string;
  readonly sign: string;
  readonly action: string;
  readonly text: string;
  readonly at: string;
  readonly call?: string | null;
  readonly acknowledged_by?: string | null;
}

export interface AppointmentBody {
  readonly kind: "appointment";
  readonly appointment: string;
  readonly what: string;
  readonly store: string;
  readonly starts_at: string;
  readonly state: "proposed" | "booked" | "changed" | "cancelled";
}

export interface BabyView {
  readonly name: string;
  readonly born_on: string;
}

export interface CallChanged {
  readonly type: "call.changed";
  readonly call: CallView;
}

export interface CallHandBack {
  readonly type: "call.hand_back";
  readonly nonce: string;
  readonly call: string;
}

export interface CallLeave {
  readonly type: "call.leave";
  readonly nonce: string;
  readonly call: string;
}

/** A key of the pad (also arrives as RFC 4733). */
export interface CallPress {
  readonly type: "call.press";
  readonly nonce: string;
  readonly call: string;
  readonly digit: string;
}

export interface CallRecordBody {
  readonly kind: "call_record";
  readonly call: string;
  readonly media: "voice" | "video";
  readonly duration_ms: number;
  readonly reason: string;
}

/** What the client measured: the join waterfall, or its own media statistics. */
export interface CallReport {
  readonly type: "call.report";
  readonly call: string;
  readonly waterfall?: Waterfall | null;
  readonly stats?: Readonly<Record<string, number>>;
}

/** Same call, new peer connection: after a network switch, a reload or a restart of the gateway. */
export interface CallResume {
  readonly type: "call.resume";
  readonly nonce: string;
  readonly call: string;
  readonly peer: string;
}

/** She types or taps a choice during a call: it is a turn like a spoken one. */
export interface CallSay {
  readonly type: "call.say";
  readonly nonce: string;
  readonly call: string;
  readonly text: string;
}

/** The tap. `peer` is a connection offered before (standby) or in the frame just before this one. */
export interface CallStart {
  readonly type: "call.start";
  readonly nonce: string;
  readonly conversation: string;
  readonly media: "voice" | "video";
  readonly peer: string;
  readonly style?: "browser" | "phone";
}

export interface CallTakeOver {
  readonly type: "call.take_over";
  readonly nonce: string;
  readonly call: string;
  readonly peer: string;
}

/** A call as every member may see it. */
export interface CallView {
  readonly call: string;
  readonly conversation: string;
  readonly media: "voice" | "video";
  readonly state: "requested" | "connecting" | "with_assistant" | "taking_over" | "with_advisor" | "handing_back" | "reconnecting" | "ended";
  readonly advisor?: string | null;
  readonly advisor_name?: string | null;
  readonly reason?: string | null;
  readonly started_at: string;
  readonly epoch: number;
}

export interface CandidateAdd {
  readonly type: "candidate.add";
  readonly peer: string;
  readonly candidate: string;
  readonly mid?: string | null;
  readonly line?: number | null;
}

/** Words of a running call. A later one with the same (call, role, turn) replaces it. For the assistant `lit` is how many characters have been *heard* so far. */
export interface CaptionShown {
  readonly type: "caption.shown";
  readonly call: string;
  readonly conversation: string;
  readonly role: "customer" | "advisor" | "assistant" | "manager" | "system";
  readonly turn: number;
  readonly text: string;
  readonly final: boolean;
  readonly lit: number;
  readonly choices: ReadonlyArray<Choice>;
}

/** A tappable answer: `text` is shown and, when tapped, sent as the customer's words. */
export interface Choice {
  readonly id: string;
  readonly text: string;
}

/** A decision on the conversation: see gateway.domain.conversation for who may do what when. */
export interface ConversationAct {
  readonly type: "conversation.act";
  readonly conversation: string;
  readonly nonce: string;
  readonly act: "ask_person" | "accept" | "hand_back" | "wrap_up" | "resolve" | "clear_red_flag";
}

export interface ConversationLeave {
  readonly type: "conversation.leave";
  readonly conversation: string;
}

/** Advisor or manager: follow this conversation from `after` on (members need not ask). */
export interface ConversationOpen {
  readonly type: "conversation.open";
  readonly nonce: string;
  readonly conversation: string;
  readonly after?: number;
}

/** The gateway is going down: reconnect after this long. */
export interface Draining {
  readonly type: "draining";
  readonly reconnect_in_ms: number;
}

/** Refused. With `nonce`: that request. Without: the frame could not be read, or the connection is closing. */
export interface Error {
  readonly type: "error";
  readonly code: ErrorCode;
  readonly nonce?: string | null;
  readonly re?: string | null;
  readonly peer?: string | null;
  readonly detail: string;
  readonly retry_after_ms?: number | null;
}

/** What can be refused; the page words each code in both languages. */
export type ErrorCode = "bad_frame" | "bad_message" | "unknown_type" | "too_large" | "too_fast" | "hello_first" | "unsupported_protocol" | "unauthenticated" | "forbidden" | "not_found" | "nonce_conflict" | "stale_epoch" | "wrong_state" | "taken" | "recall_too_late" | "bad_sdp" | "bad_candidate" | "bad_ticket" | "no_such_peer" | "call_limit" | "busy" | "peer_failed" | "file_type" | "file_too_large" | "file_broken" | "image_too_big" | "upload_offset" | "storage_full" | "storage_busy" | "unavailable" | "draining" | "internal";

/** One row of the log, as a reader may see it. `data` holds what is not a body (see gateway.domain.events). */
export interface Event {
  readonly conversation: string;
  readonly seq: number;
  readonly kind: EventKind;
  readonly sender: string;
  readonly role: "customer" | "advisor" | "assistant" | "manager" | "system";
  readonly at: string;
  readonly epoch: number;
  readonly ai: boolean;
  readonly nonce?: string | null;
  readonly body?: TextBody | SpeechBody | ImageBody | FileBody | VoiceBody | ProductBody | AppointmentBody | CallRecordBody | NoticeBody | null;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventAppended {
  readonly type: "event.appended";
  readonly event: Event;
}

/** Facts in a conversation's log. Each takes one seq. */
export type EventKind = "message.sent" | "message.edited" | "message.recalled" | "receipt.marked" | "note.added" | "conversation.started" | "conversation.queued" | "conversation.assigned" | "conversation.handed_back" | "conversation.wrapped_up" | "conversation.resolved" | "conversation.reopened" | "call.started" | "call.changed" | "call.ended" | "red_flag.raised" | "red_flag.cleared" | "feedback.given" | "hidden";

/** Thumbs on an assistant's message, or a complaint about it. */
export interface FeedbackGive {
  readonly type: "feedback.give";
  readonly conversation: string;
  readonly nonce: string;
  readonly target: number;
  readonly verdict: "up" | "down" | "complaint";
  readonly comment?: string;
}

export interface FileBody {
  readonly kind: "file";
  readonly file: FileRef;
}

/** A stored file: `id` is the server's name for it, served at `/api/v1/files/{id}` after an access check. */
export interface FileRef {
  readonly id: string;
  readonly media_type: string;
  readonly size: number;
  readonly name: string;
}

export interface Hello {
  readonly type: "hello";
  readonly protocol?: number;
  readonly token?: string | null;
  readonly resume?: Readonly<Record<string, number>>;
  readonly language?: "zh" | "en" | null;
}

/** A page of events with `after < seq` or `seq < before`, ascending. */
export interface HistoryGet {
  readonly type: "history.get";
  readonly nonce: string;
  readonly conversation: string;
  readonly after?: number | null;
  readonly before?: number | null;
  readonly limit?: number;
}

export interface HistoryPage {
  readonly type: "history.page";
  readonly nonce: string;
  readonly conversation: string;
  readonly events: ReadonlyArray<Event>;
  readonly last_seq: number;
  readonly more: boolean;
}

/** TURN credentials are short-lived: these are for every peer connection made from now on. */
export interface IceRenewed {
  readonly type: "ice.renewed";
  readonly ice_servers: ReadonlyArray<IceServer>;
}

export interface IceServer {
  readonly urls: ReadonlyArray<string>;
  readonly username?: string | null;
  readonly credential?: string | null;
}

export interface ImageBody {
  readonly kind: "image";
  readonly file: FileRef;
  readonly width: number;
  readonly height: number;
  readonly preview: string;
}

export interface InboxChanged {
  readonly type: "inbox.changed";
  readonly item: InboxItem;
}

/** A conversation as a line in a list. */
export interface InboxItem {
  readonly conversation: string;
  readonly customer: string;
  readonly customer_name: string;
  readonly store: string;
  readonly store_name: string;
  readonly state: "with_assistant" | "queued" | "assigned" | "wrap_up" | "resolved";
  readonly assignee?: string | null;
  readonly assignee_name?: string | null;
  readonly waiting_since?: string | null;
  readonly handoff_reason?: string | null;
  readonly last_seq: number;
  readonly last_text: string;
  readonly last_at?: string | null;
  readonly unread: number;
  readonly call?: string | null;
  readonly red_flag?: string | null;
  readonly callback_at?: string | null;
  readonly callback_words: string;
  readonly babies: ReadonlyArray<BabyView>;
}

export interface InboxListed {
  readonly type: "inbox.listed";
  readonly nonce: string;
  readonly items: ReadonlyArray<InboxItem>;
}

export interface InboxWatch {
  readonly type: "inbox.watch";
  readonly nonce: string;
}

/** This reader is too slow: the connection closes, resume on a new one. */
export interface Lagged {
  readonly type: "lagged";
}

/** The page is shown in another language: fixed texts and the next call follow. */
export interface LanguageSet {
  readonly type: "language.set";
  readonly language: "zh" | "en";
}

/** One party's line over the last seconds, to staff. `up`: what the gateway hears of it; `down`: what it hears of us, as it says over RTCP; `page`: the same as its browser counts it. */
export interface LineMeasured {
  readonly type: "line.measured";
  readonly call: string;
  readonly conversation: string;
  readonly party: "customer" | "advisor";
  readonly ends: Readonly<Record<string, LineQuality>>;
}

/** `loss` 0..1; `mos`: estimate by the E-model, 1 to 4.41 (media.quality). */
export interface LineQuality {
  readonly mos: number;
  readonly loss: number;
  readonly jitter_ms: number;
  readonly rtt_ms?: number | null;
}

export interface Me {
  readonly id: string;
  readonly role: "customer" | "advisor" | "assistant" | "manager" | "system";
  readonly name: string;
  readonly store?: string | null;
  readonly language: "zh" | "en";
}

export interface MessageEdit {
  readonly type: "message.edit";
  readonly conversation: string;
  readonly nonce: string;
  readonly target: number;
  readonly text: string;
}

export interface MessageRecall {
  readonly type: "message.recall";
  readonly conversation: string;
  readonly nonce: string;
  readonly target: number;
}

export interface MessageSend {
  readonly type: "message.send";
  readonly conversation: string;
  readonly nonce: string;
  readonly body: TextBody | ImageBody | FileBody | VoiceBody;
}

export interface NoteAdd {
  readonly type: "note.add";
  readonly conversation: string;
  readonly nonce: string;
  readonly text: string;
}

/** A system notice; the page words `code` in the reader's language. */
export interface NoticeBody {
  readonly kind: "notice";
  readonly code: string;
  readonly args: Readonly<Record<string, string | number>>;
}

export interface PeerAnswered {
  readonly type: "peer.answered";
  readonly peer: string;
  readonly sdp: string;
}

export interface PeerClose {
  readonly type: "peer.close";
  readonly peer: string;
}

/** `shed`: a standby given up under load; `failed`, `replaced`, `ended` otherwise. */
export interface PeerClosed {
  readonly type: "peer.closed";
  readonly peer: string;
  readonly reason: string;
}

/** A peer connection of this WebSocket connection. `peer` is the client's name for it; offering a name again replaces it. Audio and video are negotiated at once (sendrecv), so that nothing is renegotiated later. */
export interface PeerOffer {
  readonly type: "peer.offer";
  readonly peer: string;
  readonly sdp: string;
}

export interface Ping {
  readonly type: "ping";
  readonly t?: number;
}

export interface Pong {
  readonly type: "pong";
  readonly t: number;
}

export interface ProductBody {
  readonly kind: "product";
  readonly product: string;
  readonly name: string;
  readonly price_fen: number;
  readonly facts: string;
}

export interface Ready {
  readonly type: "ready";
  readonly protocol: number;
  readonly connection: string;
  readonly me: Me;
  readonly conversations: Readonly<Record<string, number>>;
  readonly calls: ReadonlyArray<CallView>;
  readonly ice_servers: ReadonlyArray<IceServer>;
  readonly heartbeat_s: number;
  readonly server_time: string;
  readonly capabilities: Readonly<Record<string, boolean | string>>;
}

/** Watermarks: everything up to and including these seqs. They only grow. */
export interface ReceiptMark {
  readonly type: "receipt.mark";
  readonly conversation: string;
  readonly delivered?: number;
  readonly read?: number;
}

/** A knowledge entry an answer was taken from. */
export interface Source {
  readonly id: string;
  readonly title: string;
}

/** What was said aloud in a call. For the assistant `text` is what was *heard*; `cut` says she interrupted. */
export interface SpeechBody {
  readonly kind: "speech";
  readonly text: string;
  readonly call: string;
  readonly turn: number;
  readonly cut: boolean;
  readonly choices: ReadonlyArray<Choice>;
}

export interface TextBody {
  readonly kind: "text";
  readonly text: string;
  readonly choices: ReadonlyArray<Choice>;
  readonly sources: ReadonlyArray<Source>;
  readonly tel?: string | null;
}

/** The waterfall of one spoken turn; the parts add up to `response_ms` (end of her speech -> first sound). */
export interface TurnMeasured {
  readonly type: "turn.measured";
  readonly call: string;
  readonly conversation: string;
  readonly turn: number;
  readonly parts_ms: Readonly<Record<string, number>>;
  readonly response_ms: number;
}

export interface TypingSet {
  readonly type: "typing.set";
  readonly conversation: string;
  readonly on: boolean;
}

export interface TypingShown {
  readonly type: "typing.shown";
  readonly conversation: string;
  readonly party: string;
  readonly role: "customer" | "advisor" | "assistant" | "manager" | "system";
  readonly on: boolean;
}

/** A voice note. `waveform` is up to 64 loudness values 0..100. */
export interface VoiceBody {
  readonly kind: "voice";
  readonly file: FileRef;
  readonly duration_ms: number;
  readonly waveform: ReadonlyArray<number>;
  readonly transcript: string;
}

/** Milliseconds since the tap, on the reporter's own clock; a step that did not happen is absent. */
export interface Waterfall {
  readonly mode: "standby" | "trickle" | "cold" | "whip";
  readonly steps: Readonly<Record<string, number>>;
}

export type ClientMessage =
  | AlarmAcknowledge
  | CallHandBack
  | CallLeave
  | CallPress
  | CallReport
  | CallResume
  | CallSay
  | CallStart
  | CallTakeOver
  | CandidateAdd
  | ConversationAct
  | ConversationLeave
  | ConversationOpen
  | FeedbackGive
  | Hello
  | HistoryGet
  | InboxWatch
  | LanguageSet
  | MessageEdit
  | MessageRecall
  | MessageSend
  | NoteAdd
  | PeerClose
  | PeerOffer
  | Ping
  | ReceiptMark
  | TypingSet;

export type ServerMessage =
  | Ack
  | AlarmAcknowledged
  | AlarmRaised
  | CallChanged
  | CaptionShown
  | Draining
  | Error
  | EventAppended
  | HistoryPage
  | IceRenewed
  | InboxChanged
  | InboxListed
  | Lagged
  | LineMeasured
  | PeerAnswered
  | PeerClosed
  | Pong
  | Ready
  | TurnMeasured
  | TypingShown;
