/** The one WebSocket of this page (no other file touches one).
 *
 *     offline --open--> connecting --ready--> online --close/silence--> waiting --full jitter--> connecting
 *                            \--refused for good (sign in again, page too old)--> refused
 *
 * Half-open links are noticed: a ping goes every heartbeat (10 s by default), and when nothing is heard for 12 s after one
 * the socket is closed. Requests carry a nonce and resolve with what answers it; a lost link rejects them with `LinkLost`,
 * and whoever must not lose anything (outbox.ts) asks again with the same nonce. */

import type {
  Ack,
  ClientMessage,
  Error as Refusal,
  ErrorCode,
  HistoryPage,
  InboxListed,
  Language,
  Ready,
  ServerMessage,
} from "./protocol.gen";
import { PROTOCOL_VERSION } from "./protocol.gen";

export type LinkState = "connecting" | "online" | "waiting" | "refused";

export class LinkLost extends Error {}

export class RefusedError extends Error {
  /** `more`: what a REST answer said besides. */
  constructor(
    readonly refusal: Refusal,
    readonly more: unknown = null,
  ) {
    super(refusal.code);
  }
  get code(): ErrorCode {
    return this.refusal.code;
  }
}

type Asking = Extract<ClientMessage, { nonce: string }>;
type Answer = Ack | HistoryPage | InboxListed;
/** What is used of a WebSocket. */
export type Socket = Pick<WebSocket, "send" | "close"> & {
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: { data: string }) => unknown) | null;
  onclose: ((event: never) => unknown) | null;
};
type Told = (message: ServerMessage) => void;

interface Pending {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly language: () => Language;
  /** The last seq applied per conversation, sent with each hello. */
  readonly resume: () => Readonly<Record<string, number>>;
  readonly makeSocket?: (url: string) => Socket;
  /** The longest pause between two tries now: less while somebody waits for the link. */
  readonly longestPauseMs?: () => number;
  /** Something with the same face, for networks that break WebSockets. */
  readonly makeFallback?: () => Promise<Socket>;
  readonly random?: () => number;
}

const FIRST_DELAY_MS = 400;
const HELLO_WITHIN_MS = 8_000;
/** Tries without a `ready` after which every second one is the fallback. */
const WEBSOCKET_TRIES = 3;
const FIRST_PROBE_MS = 1_500;
const PROBE_MS = 30_000;
const TICK_MS = 500;
const PATIENT_BEATS = 1.2;
const FINAL: ReadonlySet<ErrorCode> = new Set(["unauthenticated", "unsupported_protocol", "forbidden"]);

export class Connection {
  state: LinkState = "waiting";
  ready: Ready | null = null;
  private socket: Socket | null = null;
  private probing: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;
  private pingedAt = 0;
  private unanswered = false;
  private beat: ReturnType<typeof setInterval> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private readonly pending = new Map<string, Pending>();
  private readonly listeners = new Set<Told>();
  private readonly watchers = new Set<(state: LinkState) => void>();

  constructor(private readonly options: ConnectionOptions) {}

  /** Every frame of the gateway, in order. Returns how to stop listening. */
  onMessage(told: Told): () => void {
    this.listeners.add(told);
    return () => this.listeners.delete(told);
  }

  onState(told: (state: LinkState) => void): () => void {
    this.watchers.add(told);
    return () => this.watchers.delete(told);
  }

  open(): void {
    if (this.socket || this.state === "connecting") return;
    clearTimeout(this.retry);
    this.become("connecting");
    const fallback = this.tries > WEBSOCKET_TRIES && this.tries % 2 === 0 ? this.options.makeFallback : undefined;
    if (!fallback) return this.use(this.makeSocket());
    fallback().then(
      (socket) => this.state === "connecting" && this.use(socket, true),
      () => this.lost(),
    );
  }

  private makeSocket(): Socket {
    return (this.options.makeSocket ?? ((url) => new WebSocket(url) as Socket))(this.options.url);
  }

  private use(socket: Socket, isFallback = false): void {
    this.socket = socket;
    this.retry = setTimeout(() => this.lost(), HELLO_WITHIN_MS);
    socket.onopen = () => this.hello();
    socket.onmessage = (frame) => socket === this.socket && this.hear(String(frame.data));
    socket.onclose = () => socket === this.socket && this.lost();
    if (isFallback) this.probe(FIRST_PROBE_MS);
  }

  /** On the fallback: as soon as a WebSocket opens, change over to one. */
  private probe(afterMs: number): void {
    clearTimeout(this.probing);
    this.probing = setTimeout(() => {
      const probe = this.makeSocket();
      probe.onopen = () => {
        probe.close();
        this.again(0);
      };
      this.probe(PROBE_MS);
    }, afterMs);
  }

  /** The network or the page came back: do not wait for the next try. */
  hurry(): void {
    if (this.state === "waiting") this.open();
    else if (!this.unanswered) this.ping();
  }

  close(): void {
    this.drop();
    clearTimeout(this.retry);
    this.become("waiting");
  }

  /** Fire and forget; false when there is no link. */
  send(message: ClientMessage): boolean {
    if (this.state !== "online" || !this.socket) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  /** Resolves with the ack (or page, or list) that carries this nonce. */
  request<T extends Answer = Answer>(message: Asking): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!this.send(message)) return reject(new LinkLost("offline"));
      this.pending.set(message.nonce, { resolve: resolve as Pending["resolve"], reject });
    });
  }

  private hello(): void {
    const hello: ClientMessage = {
      type: "hello",
      protocol: PROTOCOL_VERSION,
      resume: this.options.resume(),
      language: this.options.language(),
    };
    this.socket?.send(JSON.stringify(hello));
  }

  private hear(frame: string): void {
    this.unanswered = false;
    const message = JSON.parse(frame) as ServerMessage;
    if (message.type === "ready") this.welcome(message);
    else if (message.type === "error") this.refused(message);
    else if (message.type === "draining") this.again(message.reconnect_in_ms * (0.5 + this.random()));
    else if (message.type === "lagged") this.again(0);
    else if (message.type === "ice.renewed" && this.ready) this.ready = { ...this.ready, ice_servers: message.ice_servers };
    if ("nonce" in message && message.nonce) this.settle(message.nonce, message as Answer | Refusal);
    this.listeners.forEach((told) => told(message));
  }

  private welcome(ready: Ready): void {
    this.ready = ready;
    this.tries = 0;
    clearTimeout(this.retry);
    this.watch(ready.heartbeat_s * 1000);
    this.become("online");
  }

  private refused(refusal: Refusal): void {
    if (this.state === "online" || !FINAL.has(refusal.code)) return;
    this.drop();
    this.become("refused");
  }

  private settle(nonce: string, answer: Answer | Refusal): void {
    const waiting = this.pending.get(nonce);
    this.pending.delete(nonce);
    if (answer.type === "error") waiting?.reject(new RefusedError(answer));
    else waiting?.resolve(answer);
  }

  /** One timer both beats and listens: silence behind a ping means that the link is dead, whatever TCP says. Silence before
   * one means nothing, for the timers of a hidden page may run once a minute. */
  private watch(everyMs: number): void {
    clearInterval(this.beat);
    this.pingedAt = Date.now();
    this.beat = setInterval(() => {
      const since = Date.now() - this.pingedAt;
      if (this.unanswered) return since > everyMs * PATIENT_BEATS ? this.lost() : undefined;
      if (since >= everyMs) this.ping();
    }, TICK_MS);
  }

  private ping(): void {
    this.pingedAt = Date.now();
    this.unanswered = this.send({ type: "ping", t: this.pingedAt });
  }

  private lost(): void {
    const ceiling = Math.min(this.options.longestPauseMs?.() ?? 20_000, FIRST_DELAY_MS * 2 ** this.tries++);
    this.again(this.random() * ceiling);
  }

  private again(delayMs: number): void {
    this.drop();
    this.become("waiting");
    this.retry = setTimeout(() => this.open(), delayMs);
  }

  private drop(): void {
    clearTimeout(this.probing);
    clearInterval(this.beat);
    clearTimeout(this.retry);
    const { socket } = this;
    this.socket = null;
    socket?.close();
    const pending = [...this.pending.values()];
    this.pending.clear();
    pending.forEach((one) => one.reject(new LinkLost("lost")));
  }

  private become(state: LinkState): void {
    if (state === this.state) return;
    this.state = state;
    this.watchers.forEach((told) => told(state));
  }

  private random(): number {
    return (this.options.random ?? Math.random)();
  }
}
