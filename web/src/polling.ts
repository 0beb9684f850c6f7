/** REST with long poll, looking like a WebSocket to connection.ts: for networks that break WebSockets. Chat works in
 * full; typing, captions and calls need the real thing. Fetched only when it is needed.
 *
 * Each request may hang on a dead connection of its own while the others go on, so each has an end: a poll that is still
 * silent 22 s after it was asked, or anything else after 15 s, means that there is no link. A ping asks the gateway too. */

import { call, refusalOf, within } from "./api";
import { RefusedError } from "./connection";
import type { Ack, ClientMessage, Event as LogEvent, HistoryGet, InboxItem, Me, Ready, ServerMessage } from "./protocol.gen";
import { PROTOCOL_VERSION } from "./protocol.gen";

const WAIT_S = 14;
const SILENT_POLL_MS = (WAIT_S + 8) * 1000;
const ANSWER_MS = 15_000;
const INBOX_EVERY_MS = 4_000;

interface EventsPage {
  readonly events: readonly LogEvent[];
  readonly last_seq: number;
  readonly more: boolean;
}

export class PolledSocket {
  onopen: (() => void) | null = null;
  onmessage: ((frame: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  private readonly stop = new AbortController();
  private readonly followed = new Set<string>();

  constructor() {
    setTimeout(() => this.onopen?.()); // after whoever made it has listened
  }

  send(frame: string): void {
    const message = JSON.parse(frame) as ClientMessage;
    this.carry(message).catch((error: unknown) => this.refused(message, error));
  }

  close(): void {
    this.stop.abort();
  }

  /** Given up with the link: a browser has six connections to a host, and those that hang would be missed. */
  private ask<T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
    return call<T>(method, path, body, within(ANSWER_MS, this.stop.signal));
  }

  private say(message: ServerMessage): void {
    if (!this.stop.signal.aborted) this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** Refused requests are answered; everything else means that there is no link. */
  private refused(message: ClientMessage, error: unknown): void {
    const nonce = "nonce" in message ? message.nonce : null;
    const known = error instanceof RefusedError && error.refusal.detail !== "no network";
    if (known && (nonce || message.type === "hello")) return this.say({ ...error.refusal, nonce, re: message.type });
    if (!this.stop.signal.aborted && !known) this.onclose?.();
  }

  private async carry(message: ClientMessage): Promise<void> {
    switch (message.type) {
      case "hello":
        return this.hello(message.resume ?? {});
      case "ping":
        await this.ask("GET", "/me");
        return this.say({ type: "pong", t: message.t ?? 0 });
      case "message.send":
      case "message.edit":
      case "message.recall":
      case "note.add":
      case "feedback.give":
        return this.acked(await this.ask<Ack>("POST", `${path(message)}/events`, without(message)));
      case "conversation.act":
        return this.acked(await this.ask<Ack>("POST", `${path(message)}/acts`, { nonce: message.nonce, act: message.act }));
      case "receipt.mark":
        return this.ask("POST", `${path(message)}/receipts`, { delivered: message.delivered, read: message.read });
      case "history.get":
        return this.history(message);
      case "conversation.open":
        return this.open(message.conversation, message.nonce, message.after ?? 0);
      case "conversation.leave":
        return void this.followed.delete(message.conversation);
      case "inbox.watch":
        return this.inbox(message.nonce);
      case "alarm.acknowledge":
        await this.ask("POST", `/alarms/${message.alarm}/acknowledge`, {});
        return this.acked({ type: "ack", nonce: message.nonce, seq: 0 });
      default:
        return this.unserved(message);
    }
  }

  private async hello(resume: Readonly<Record<string, number>>): Promise<void> {
    const [me, items] = await Promise.all([this.ask<Me>("GET", "/me"), this.items()]);
    const mine = items.filter((item) => me.role === "customer" || item.assignee === me.id || item.conversation in resume);
    const ready: Ready = {
      type: "ready",
      protocol: PROTOCOL_VERSION,
      connection: "polled",
      me,
      conversations: Object.fromEntries(mine.map((item) => [item.conversation, item.last_seq])),
      calls: [],
      ice_servers: [],
      heartbeat_s: 10,
      server_time: new Date().toISOString(),
      capabilities: { voice: false, video: false },
    };
    this.say(ready);
    for (const item of mine) void this.follow(item.conversation, resume[item.conversation] ?? item.last_seq);
  }

  private acked(ack: Ack): void {
    this.say({ ...ack, type: "ack" });
  }

  private async history({ conversation, nonce, after, before, limit }: HistoryGet): Promise<void> {
    const asked = Object.entries({ after, before, limit }).filter(([, value]) => value !== null && value !== undefined);
    const page = await this.events(conversation, new URLSearchParams(asked.map(([key, value]) => [key, String(value)])));
    this.say({ type: "history.page", nonce, conversation, ...page });
  }

  private async open(conversation: string, nonce: string, after: number): Promise<void> {
    const item = await this.ask<InboxItem>("GET", `/conversations/${conversation}`);
    this.acked({ type: "ack", nonce, conversation, seq: item.last_seq });
    void this.follow(conversation, Math.min(after, item.last_seq));
  }

  private async follow(conversation: string, after: number): Promise<void> {
    if (this.followed.has(conversation)) return;
    this.followed.add(conversation);
    try {
      for (let last = after; this.followed.has(conversation) && !this.stop.signal.aborted; ) {
        const { events } = await this.events(conversation, new URLSearchParams({ after: String(last), wait: String(WAIT_S) }));
        for (const event of events) this.say({ type: "event.appended", event });
        last = events.at(-1)?.seq ?? last;
      }
    } catch {
      if (!this.stop.signal.aborted) this.onclose?.();
    }
  }

  private async events(conversation: string, query: URLSearchParams): Promise<EventsPage> {
    const signal = within(SILENT_POLL_MS, this.stop.signal);
    const response = await fetch(`/api/v1/conversations/${conversation}/events?${query}`, { signal });
    if (!response.ok) throw await refusalOf(response);
    return (await response.json()) as EventsPage;
  }

  private async items(): Promise<readonly InboxItem[]> {
    return (await this.ask<{ items: readonly InboxItem[] }>("GET", "/inbox")).items;
  }

  private async inbox(nonce: string): Promise<void> {
    this.say({ type: "inbox.listed", nonce, items: await this.items() });
    const clock = setInterval(() => {
      if (this.stop.signal.aborted) return clearInterval(clock);
      this.items().then(
        (items) => items.forEach((item) => this.say({ type: "inbox.changed", item })),
        () => undefined, // the poll of the open conversation notices a lost link
      );
    }, INBOX_EVERY_MS);
  }

  private unserved(message: ClientMessage): void {
    if (!("nonce" in message)) return;
    this.say({ type: "error", code: "unavailable", nonce: message.nonce, re: message.type, detail: "needs a WebSocket" });
  }
}

const path = (message: { readonly conversation: string }): string => `/conversations/${message.conversation}`;

const without = ({ conversation: _, ...rest }: { readonly conversation: string }): object => rest;
