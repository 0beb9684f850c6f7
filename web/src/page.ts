/** What a page knows, fed by the connection: who I am, my conversations, the inbox, alarms, captions. Views read the
 * signals; nothing here draws. */

import { type Signal, signal } from "@preact/signals";
import { Connection, type LinkState } from "./connection";
import { language } from "./i18n";
import { type Keep, openKeep } from "./keep";
import { makeNonce } from "./nonce";
import { Outbox, type Upload } from "./outbox";
import type {
  AlarmView,
  CallView,
  CaptionShown,
  ClientMessage,
  Event as LogEvent,
  InboxItem,
  InboxListed,
  LineMeasured,
  Me,
  Ready,
  ServerMessage,
  TurnMeasured,
  TypingShown,
} from "./protocol.gen";
import { LiveThread } from "./thread";

const TYPING_LASTS_MS = 6_000;
const TURNS_KEPT = 50;
/** So soon a tab that stays open takes over what one left unsent that was closed. */
const ADOPT_EVERY_MS = 10_000;
/** "I have everything": only what comes from now on. */
const NEWEST = Number.MAX_SAFE_INTEGER;

/** A caption, or what was written meanwhile (its turn is then minus its seq). */
export type CaptionLine = CaptionShown & { readonly tel?: string };
/** `taker`: the name of who was first to take it. */
type KnownAlarm = AlarmView & { readonly taker?: string };
type Captions = readonly CaptionLine[];
export type Lines = Partial<Readonly<Record<LineMeasured["party"], LineMeasured["ends"]>>>;

export class Page {
  readonly link = signal<LinkState>("connecting");
  readonly me = signal<Me | null>(null);
  /** A customer's one lasting conversation. */
  readonly home = signal<string | null>(null);
  readonly ready = signal<Ready | null>(null);
  readonly inbox = signal<ReadonlyMap<string, InboxItem>>(new Map());
  readonly alarms = signal<readonly KnownAlarm[]>([]);
  readonly calls = signal<ReadonlyMap<string, CallView>>(new Map());
  readonly captions = signal<ReadonlyMap<string, Captions>>(new Map());
  readonly turns = signal<ReadonlyMap<string, readonly TurnMeasured[]>>(new Map());
  /** How well each party is on the line, of calls that run. */
  readonly lines = signal<ReadonlyMap<string, Lines>>(new Map());
  readonly typing = signal<ReadonlyMap<string, TypingShown>>(new Map());
  readonly connection: Connection;
  readonly outbox: Outbox;
  onTheLine = false;
  private readonly threads = new Map<string, LiveThread>();
  private readonly typingEnds = new Map<string, ReturnType<typeof setTimeout>>();

  private constructor(
    url: string,
    readonly keep: Keep,
    upload: Upload,
    private readonly staff: boolean,
  ) {
    this.connection = new Connection({
      url,
      language: () => language.value,
      resume: () => this.lastSeqs(),
      // on the line they are few and wait in silence; with something unsent they look at it; all the others must not fall
      // at once on a gateway that has just started
      longestPauseMs: () => (this.onTheLine ? 2_000 : this.outbox.waits ? 5_000 : 20_000),
      makeFallback: async () => new (await import("./polling")).PolledSocket(),
    });
    this.outbox = new Outbox(this.connection, keep, upload);
    this.connection.onState((state) => (this.link.value = state));
    this.connection.onMessage((message) => this.hear(message));
  }

  static async open(upload: Upload, staff = false): Promise<Page> {
    const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;
    const page = new Page(url, await openKeep(), upload, staff);
    page.connection.open();
    language.subscribe((shown) => page.connection.send({ type: "language.set", language: shown })); // hello says the first
    addEventListener("online", () => page.connection.hurry());
    document.addEventListener("visibilitychange", () => document.hidden || page.connection.hurry());
    setInterval(() => page.adopt(), ADOPT_EVERY_MS);
    return page;
  }

  thread(conversation: string): LiveThread {
    const known = this.threads.get(conversation);
    if (known) return known;
    const fresh = new LiveThread(conversation, this.connection, () => this.applied(fresh));
    this.threads.set(conversation, fresh);
    return fresh;
  }

  /** Staff: follow a conversation one is no member of, from now on and after each reconnect. */
  async follow(conversation: string): Promise<LiveThread> {
    const thread = this.thread(conversation);
    if (this.link.value === "online") await this.openThread(thread);
    return thread;
  }

  /** What happens there is not told to us any more: nothing of it is kept that could be shown as if it were. */
  leave(conversation: string): void {
    this.threads.delete(conversation);
    [...this.calls.value.values()].filter((one) => one.conversation === conversation).forEach((one) => this.forgetCall(one.call));
    this.connection.send({ type: "conversation.leave", conversation });
  }

  /** A request that may simply fail: the caller words the refusal. */
  ask(message: Extract<ClientMessage, { nonce: string }>): Promise<unknown> {
    return this.connection.request(message);
  }

  /** The last seq applied per conversation. */
  lastSeqs(): Record<string, number> {
    const known = [...this.threads].flatMap(([id, thread]) => (thread.lastSeq === null ? [] : [[id, thread.lastSeq]]));
    return Object.fromEntries(known);
  }

  private hear(message: ServerMessage): void {
    switch (message.type) {
      case "ready":
        return this.welcome(message);
      case "event.appended":
        return this.happened(message.event);
      case "inbox.changed":
        this.inbox.value = new Map(this.inbox.value).set(message.item.conversation, message.item);
        return;
      case "typing.shown":
        return this.typed(message);
      case "call.changed":
        return this.callChanged(message.call);
      case "caption.shown":
        return this.captioned(message);
      case "turn.measured":
        return this.measured(message);
      case "line.measured":
        return this.lined(message);
      case "alarm.raised":
        this.alarms.value = [...this.alarms.value.filter((one) => one.alarm !== message.alarm.alarm), message.alarm];
        return;
      case "alarm.acknowledged":
        this.alarms.value = this.alarms.value.map((one) =>
          one.alarm === message.alarm ? { ...one, acknowledged_by: message.by, taker: message.name } : one,
        );
        return;
      default:
    }
  }

  private happened(event: LogEvent): void {
    const typing = this.typing.value.get(event.conversation);
    if (typing && event.kind === "message.sent" && event.role === typing.role) this.typed({ ...typing, on: false });
    this.threads.get(event.conversation)?.receive(event);
    this.written(event);
  }

  /** What is written during a call stands among its captions: her typed words, an advisor's, a number to ring. */
  private written({ conversation, body, role, seq }: LogEvent): void {
    const call = [...this.calls.value.values()].find((one) => one.conversation === conversation);
    if (!call || body?.kind !== "text" || (role === "assistant" && !body.tel)) return;
    const { text, tel } = body;
    const line = { type: "caption.shown", call: call.call, conversation, role, text, lit: text.length } as const;
    this.captioned({ ...line, turn: -seq, final: true, choices: [], ...(tel ? { tel } : {}) });
  }

  private welcome(ready: Ready): void {
    this.ready.value = ready;
    this.me.value = ready.me;
    this.calls.value = new Map(ready.calls.map((call) => [call.call, call]));
    this.alarms.value = []; // those still open follow
    const own = Object.keys(ready.conversations)[0];
    if (!this.staff && own) this.home.value = this.thread(own).conversation;
    for (const thread of this.threads.values()) void this.synchronise(thread, ready);
    if (this.staff) void this.watchInbox();
    this.adopt();
  }

  private adopt(): void {
    if (this.link.value === "online" && this.me.value) void this.outbox.adopt(this.me.value.id);
  }

  private async synchronise(thread: LiveThread, ready: Ready): Promise<void> {
    const last = ready.conversations[thread.conversation];
    await (last === undefined ? this.openThread(thread) : thread.synchronise(last)).catch(() => undefined);
  }

  private async openThread(thread: LiveThread): Promise<void> {
    const { conversation } = thread;
    const opening = { type: "conversation.open", nonce: makeNonce(), conversation, after: thread.lastSeq ?? NEWEST } as const;
    const ack = await this.connection.request(opening);
    await thread.synchronise(ack.type === "ack" ? ack.seq : 0);
  }

  private async watchInbox(): Promise<void> {
    try {
      const listed = await this.connection.request<InboxListed>({ type: "inbox.watch", nonce: makeNonce() });
      this.inbox.value = new Map(listed.items.map((item) => [item.conversation, item]));
    } catch {
      // Lost or refused: the next `ready` asks again.
    }
  }

  private applied(thread: LiveThread): void {
    this.outbox.shown(thread.conversation, thread.view.value.lastSeq);
  }

  private typed(shown: TypingShown): void {
    clearTimeout(this.typingEnds.get(shown.conversation));
    const next = new Map(this.typing.value);
    if (!shown.on) next.delete(shown.conversation);
    else {
      next.set(shown.conversation, shown);
      this.typingEnds.set(shown.conversation, setTimeout(() => this.typed({ ...shown, on: false }), TYPING_LASTS_MS));
    }
    this.typing.value = next;
  }

  private callChanged(call: CallView): void {
    if (call.state === "ended") this.forgetCall(call.call);
    else this.calls.value = new Map(this.calls.value).set(call.call, call);
  }

  private forgetCall(call: string): void {
    const without = <T>(kept: Signal<ReadonlyMap<string, T>>) =>
      (kept.value = new Map([...kept.value].filter(([key]) => key !== call)));
    without(this.calls);
    without(this.captions);
    without(this.turns);
    without(this.lines);
  }

  private captioned(caption: CaptionLine): void {
    const of = this.captions.value.get(caption.call) ?? [];
    const same = (one: CaptionLine) => one.role === caption.role && one.turn === caption.turn;
    const next = of.some(same) ? of.map((one) => (same(one) ? caption : one)) : [...of, caption];
    this.captions.value = new Map(this.captions.value).set(caption.call, next);
  }

  private lined({ call, party, ends }: LineMeasured): void {
    this.lines.value = new Map(this.lines.value).set(call, { ...this.lines.value.get(call), [party]: ends });
  }

  private measured(turn: TurnMeasured): void {
    const of = (this.turns.value.get(turn.call) ?? []).slice(-TURNS_KEPT);
    this.turns.value = new Map(this.turns.value).set(turn.call, [...of, turn]);
  }
}

