/** PURE: a conversation as the fold of its log; the page's mirror of gateway/domain/conversation.py.
 *
 *     fold(thread, events) -> thread
 *
 * Law: fold(fold(start, a), b) equals fold(start, [...a, ...b]). `test/fold.json`, written by the gateway's own fold,
 * holds both to the same answer. */

import type { Body, Event as LogEvent, EventKind, InboxItem, MediaKind, Role } from "./protocol.gen";

export type ThreadState = InboxItem["state"];
export type Owner = "assistant" | "advisor";

export interface Message {
  readonly seq: number;
  readonly sender: string;
  readonly role: Role;
  readonly at: string;
  readonly ai: boolean;
  readonly nonce: string | null;
  readonly body: Body | null;
  readonly edited: boolean;
  readonly recalled: boolean;
  readonly feedback: "up" | "down" | "complaint" | null;
  /** What she complained of. */
  readonly comment: string;
}

export interface Note {
  readonly seq: number;
  readonly sender: string;
  readonly at: string;
  readonly text: string;
}

/** A line across the timeline: who owns the conversation from here on, or that a call began. */
export interface Divider {
  readonly seq: number;
  readonly at: string;
  readonly kind: EventKind;
  readonly data: Readonly<Record<string, unknown>>;
}

export type Entry =
  | ({ readonly shape: "message" } & Message)
  | ({ readonly shape: "note" } & Note)
  | ({ readonly shape: "divider" } & Divider);

export interface Receipt {
  readonly delivered: number;
  readonly read: number;
}

export interface RedFlagShown {
  readonly sign: string;
  readonly action: string;
  readonly target: number;
  readonly alarm: string;
}

export interface RunningCall {
  readonly call: string;
  readonly media: MediaKind;
  readonly state: string;
  readonly advisor: string | null;
}

export interface Thread {
  readonly lastSeq: number;
  /** Counted from where the loaded log begins: only differences mean something. */
  readonly epoch: number;
  readonly owner: Owner;
  readonly state: ThreadState;
  readonly assignee: string | null;
  readonly waitingSince: string | null;
  readonly handoffReason: string | null;
  readonly redFlag: RedFlagShown | null;
  readonly call: RunningCall | null;
  readonly receipts: Readonly<Record<string, Receipt>>;
  readonly entries: readonly Entry[];
}

export const emptyThread: Thread = {
  lastSeq: 0,
  epoch: 0,
  owner: "assistant",
  state: "with_assistant",
  assignee: null,
  waitingSince: null,
  handoffReason: null,
  redFlag: null,
  call: null,
  receipts: {},
  entries: [],
};

export const fold = (thread: Thread, events: readonly LogEvent[]): Thread => events.reduce(apply, thread);

/** Does the log say by itself who answers from here on? */
export const saysWhoAnswers = (event: LogEvent): boolean => OWNING.has(event.kind);

const OWNING: ReadonlySet<EventKind> = new Set([
  "conversation.started",
  "conversation.queued",
  "conversation.assigned",
  "conversation.handed_back",
  "conversation.resolved",
]);

export function apply(thread: Thread, event: LogEvent): Thread {
  return { ...thread, ...changes(thread, event), lastSeq: event.seq };
}

function changes(thread: Thread, event: LogEvent): Partial<Thread> {
  switch (event.kind) {
    case "message.sent":
      return { entries: [...thread.entries, message(event)] };
    case "message.edited":
      return { entries: revised(thread, event, edit) };
    case "message.recalled":
      return { entries: revised(thread, event, recall) };
    case "feedback.given":
      return { entries: revised(thread, event, rate) };
    case "note.added":
      return { entries: [...thread.entries, note(event)] };
    case "receipt.marked":
      return { receipts: marked(thread.receipts, event) };
    case "red_flag.raised":
      return { redFlag: event.data as unknown as RedFlagShown };
    case "red_flag.cleared":
      return { redFlag: null };
    case "hidden":
      return {};
    default:
      return { ...owned(thread, event), entries: [...thread.entries, divider(event)] };
  }
}

function owned(thread: Thread, event: LogEvent): Partial<Thread> {
  switch (event.kind) {
    case "conversation.queued":
      return { state: "queued", waitingSince: thread.waitingSince ?? event.at, handoffReason: text(event, "reason") };
    case "conversation.assigned":
      return { ...owner(thread, "advisor"), state: "assigned", assignee: text(event, "advisor") };
    case "conversation.handed_back":
      return { ...owner(thread, "assistant"), state: "with_assistant", assignee: null, handoffReason: null };
    case "conversation.wrapped_up":
      return { state: "wrap_up" };
    case "conversation.resolved":
      return { ...owner(thread, "assistant"), state: "resolved", assignee: null, handoffReason: null };
    case "conversation.reopened":
      return { state: thread.owner === "advisor" ? "assigned" : "with_assistant" };
    case "call.started":
      return { call: begun(event) };
    case "call.changed":
      return ofThis(thread, event) ? { call: thread.call && { ...thread.call, ...moved(event) } } : {};
    case "call.ended":
      return ofThis(thread, event) ? { call: null } : {};
    default:
      return {};
  }
}

/** A new owner (or a new advisor), a new epoch; nobody waits any more. */
const owner = (thread: Thread, to: Owner): Partial<Thread> => ({
  owner: to,
  epoch: thread.epoch + 1,
  waitingSince: null,
});

const text = (event: LogEvent, key: string): string | null => {
  const value = event.data[key];
  return typeof value === "string" ? value : null;
};

const begun = (event: LogEvent): RunningCall => ({
  call: text(event, "call") ?? "",
  media: text(event, "media") === "video" ? "video" : "voice",
  state: "requested",
  advisor: null,
});

/** The end of one call may be written when the next has begun. */
const ofThis = (thread: Thread, event: LogEvent): boolean => thread.call?.call === text(event, "call");

const moved = (event: LogEvent): Pick<RunningCall, "state" | "advisor"> => ({
  state: text(event, "state") ?? "",
  advisor: text(event, "advisor"),
});

const message = (event: LogEvent): Entry => ({
  shape: "message",
  seq: event.seq,
  sender: event.sender,
  role: event.role,
  at: event.at,
  ai: event.ai,
  nonce: event.nonce ?? null,
  body: event.body ?? null,
  edited: false,
  recalled: false,
  feedback: null,
  comment: "",
});

const note = (event: LogEvent): Entry => ({
  shape: "note",
  seq: event.seq,
  sender: event.sender,
  at: event.at,
  text: text(event, "text") ?? "",
});

const divider = (event: LogEvent): Entry => ({
  shape: "divider",
  seq: event.seq,
  at: event.at,
  kind: event.kind,
  data: event.data,
});

type Revision = (message: Message, event: LogEvent) => Partial<Message>;

const edit: Revision = (message, event) => ({
  edited: true,
  body: message.body && "text" in message.body ? { ...message.body, text: text(event, "text") ?? "" } : message.body,
});
const recall: Revision = () => ({ recalled: true, body: null });
const rate: Revision = (_, event) => ({ feedback: text(event, "verdict") as Message["feedback"], comment: text(event, "comment") ?? "" });

function revised(thread: Thread, event: LogEvent, revise: Revision): readonly Entry[] {
  const target = event.data["target"];
  return thread.entries.map((entry) =>
    entry.shape === "message" && entry.seq === target ? { ...entry, ...revise(entry, event) } : entry,
  );
}

function marked(receipts: Thread["receipts"], event: LogEvent): Thread["receipts"] {
  const party = text(event, "party") ?? event.sender;
  const old = receipts[party] ?? { delivered: 0, read: 0 };
  const read = Math.max(old.read, number(event, "read"));
  return { ...receipts, [party]: { delivered: Math.max(old.delivered, number(event, "delivered"), read), read } };
}

const number = (event: LogEvent, key: string): number => {
  const value = event.data[key];
  return typeof value === "number" ? value : 0;
};
