/** Messages on their way. Kept before the first try, sent one at a time per conversation, asked again with the same nonce
 * until the gateway has acknowledged or refused them. A file is brought beside them and takes its turn when it is there:
 * nothing that is written waits for it. Nothing here is ever shown as sent. */

import { signal } from "@preact/signals";
import { type Connection, LinkLost, RefusedError } from "./connection";
import type { Attachment, Keep, Unsent } from "./keep";
import { makeNonce } from "./nonce";
import type { Ack, CustomerBody, ErrorCode } from "./protocol.gen";

/** As shown: with how far its file is (0..1) and, once acknowledged, its seq (it leaves when the log shows it). */
export interface Outgoing extends Unsent {
  readonly progress: number;
  readonly seq: number;
}

/** Brings a file to the gateway and says what to send; `kept` is called when the upload has a name to go on with. */
export type Upload = (item: Outgoing, told: UploadTold, stop: AbortSignal) => Promise<CustomerBody>;
export interface UploadTold {
  progress(share: number): void;
  begun(upload: string): Promise<void>;
}

const PATIENT: ReadonlySet<ErrorCode> = new Set([
  "too_fast",
  "busy",
  "unavailable",
  "storage_busy",
  "storage_full",
  "draining",
  "internal",
]);
const PAUSE_MS = 2_000;
/** So often in a row a file may not get through although the link is up: it is gone from the disk, or something blocks it. */
const FILE_TRIES = 5;

export const textBody = (text: string): CustomerBody => ({ kind: "text", text, choices: [], sources: [] });

export class Outbox {
  readonly items = signal<readonly Outgoing[]>([]);
  private readonly pumping = new Set<string>();
  private readonly stops = new Map<string, AbortController>();
  /** Tries of a file in a row that brought it no further. */
  private readonly misses = new Map<string, number>();

  constructor(
    private readonly connection: Connection,
    private readonly keep: Keep,
    private readonly upload: Upload,
  ) {
    connection.onState((state) => state === "online" && this.pumpAll());
  }

  /** Something of hers is neither acknowledged nor refused. */
  get waits(): boolean {
    return this.items.value.some((item) => !item.seq && !item.refused);
  }

  /** What closed tabs of this person left unsent. What an open one is sending is its own affair. */
  async adopt(person: string): Promise<void> {
    const left = await this.keep.adopt(person).catch(() => []); // asked again soon
    const known = new Set(this.items.value.map((item) => item.nonce));
    const fresh = left.filter((item) => !known.has(item.nonce)).map((item) => ({ ...item, progress: 0, seq: 0 }));
    if (!fresh.length) return;
    this.items.value = [...fresh, ...this.items.value];
    this.pumpAll();
  }

  /** `nonce`: of the request that may have brought it already. */
  async send(person: string, conversation: string, what: CustomerBody | Attachment, nonce = makeNonce()): Promise<void> {
    const isFile = "blob" in what;
    const item: Unsent = {
      nonce,
      person,
      conversation,
      at: new Date().toISOString(),
      body: isFile ? null : what,
      attachment: isFile ? what : null,
      refused: null,
    };
    this.items.value = [...this.items.value, { ...item, progress: 0, seq: 0 }];
    await this.keep.put(item).catch(() => undefined);
    if (this.connection.state === "waiting") this.connection.hurry();
    this.pump(conversation);
  }

  async retry(nonce: string): Promise<void> {
    this.misses.delete(nonce);
    await this.change(nonce, { refused: null });
    this.pumpAll();
  }

  async discard(nonce: string): Promise<void> {
    this.stops.get(nonce)?.abort();
    this.items.value = this.items.value.filter((item) => item.nonce !== nonce);
    await this.keep.forget(nonce);
  }

  /** The log shows everything up to here: acknowledged items need no bubble of their own any more. */
  shown(conversation: string, lastSeq: number): void {
    const rest = this.items.value.filter((one) => one.conversation !== conversation || !one.seq || one.seq > lastSeq);
    if (rest.length !== this.items.value.length) this.items.value = rest;
  }

  private pumpAll(): void {
    new Set(this.items.value.map((item) => item.conversation)).forEach((one) => this.pump(one));
  }

  private pump(conversation: string): void {
    void this.work(conversation, "files", (item) => this.bring(item));
    void this.work(conversation, "bodies", (item) => this.tell(item));
  }

  private async work(conversation: string, what: "files" | "bodies", attempt: (item: Outgoing) => Promise<void>): Promise<void> {
    const key = `${what} ${conversation}`;
    if (this.pumping.has(key)) return;
    this.pumping.add(key);
    try {
      for (let item = this.next(conversation, what); item; item = this.next(conversation, what)) {
        await attempt(item).catch((error: unknown) => this.failed(item!, error));
      }
    } finally {
      this.pumping.delete(key);
    }
  }

  /** Nothing while there is no link: `online` pumps again. */
  private next(conversation: string, what: "files" | "bodies"): Outgoing | undefined {
    if (this.connection.state !== "online") return undefined;
    const due = (one: Outgoing) => one.conversation === conversation && !one.seq && !one.refused;
    return this.items.value.find((one) => due(one) && (one.body !== null) === (what === "bodies"));
  }

  private async tell({ conversation, nonce, body }: Outgoing): Promise<void> {
    const ack = await this.connection.request<Ack>({ type: "message.send", conversation, nonce, body: body! });
    await this.acknowledged(nonce, ack.seq);
  }

  private async bring(item: Outgoing): Promise<void> {
    const stop = new AbortController();
    this.stops.set(item.nonce, stop);
    const told: UploadTold = {
      progress: (progress) => this.progressed(item.nonce, progress),
      begun: (upload) => this.change(item.nonce, { attachment: item.attachment && { ...item.attachment, upload } }),
    };
    const body = await this.upload(item, told, stop.signal).finally(() => this.stops.delete(item.nonce));
    this.misses.delete(item.nonce);
    await this.change(item.nonce, { body });
    this.pump(item.conversation);
  }

  private progressed(nonce: string, progress: number): void {
    if (progress > (this.items.value.find((one) => one.nonce === nonce)?.progress ?? 0)) this.misses.delete(nonce);
    this.show(nonce, { progress });
  }

  private async acknowledged(nonce: string, seq: number): Promise<void> {
    this.show(nonce, { seq });
    await this.keep.forget(nonce).catch(() => undefined);
  }

  private async failed({ nonce }: Outgoing, error: unknown): Promise<void> {
    if (!this.items.value.some((one) => one.nonce === nonce)) return; // discarded meanwhile
    if (error instanceof LinkLost && this.connection.state !== "online") return;
    const misses = error instanceof LinkLost ? (this.misses.get(nonce) ?? 0) + 1 : 0;
    this.misses.set(nonce, misses);
    if (error instanceof RefusedError && !PATIENT.has(error.code)) return this.change(nonce, { refused: error.code });
    if (misses >= FILE_TRIES) return this.change(nonce, { refused: "unavailable" });
    const after = error instanceof RefusedError ? error.refusal.retry_after_ms : null;
    await new Promise((wake) => setTimeout(wake, after ?? PAUSE_MS * 2 ** Math.max(0, misses - 1)));
  }

  private show(nonce: string, change: Partial<Outgoing>): void {
    this.items.value = this.items.value.map((item) => (item.nonce === nonce ? { ...item, ...change } : item));
  }

  private async change(nonce: string, change: Partial<Unsent>): Promise<void> {
    this.show(nonce, change);
    const item = this.items.value.find((one) => one.nonce === nonce);
    if (!item) return;
    const { progress: _progress, seq: _seq, ...kept } = item;
    await this.keep.put(kept).catch(() => undefined);
  }
}
