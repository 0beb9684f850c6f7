/** Messages on their way. Kept before the first try, sent one at a time per conversation, asked again with the same nonce
 * until the gateway has acknowledged or refused them. Nothing here is ever shown as sent. */

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

export class Outbox {
  readonly items = signal<readonly Outgoing[]>([]);
  private readonly pumping = new Set<string>();
  private readonly stops = new Map<string, AbortController>();

  constructor(
    private readonly connection: Connection,
    private readonly keep: Keep,
    private readonly upload: Upload,
  ) {
    connection.onState((state) => state === "online" && this.pumpAll());
  }

  /** What an earlier page of this person left unsent. */
  async restore(person: string): Promise<void> {
    const known = new Set(this.items.value.map((item) => item.nonce));
    const kept = (await this.keep.unsent(person)).filter((item) => !known.has(item.nonce));
    this.items.value = [...kept.map((item) => ({ ...item, progress: 0, seq: 0 })), ...this.items.value];
    this.pumpAll();
  }

  async send(person: string, conversation: string, what: CustomerBody | Attachment): Promise<void> {
    const isFile = "blob" in what;
    const item: Unsent = {
      nonce: makeNonce(),
      person,
      conversation,
      at: new Date().toISOString(),
      body: isFile ? null : what,
      attachment: isFile ? what : null,
      refused: null,
    };
    this.items.value = [...this.items.value, { ...item, progress: 0, seq: 0 }];
    await this.keep.put(item).catch(() => undefined);
    void this.pump(conversation);
  }

  async retry(nonce: string): Promise<void> {
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
    new Set(this.items.value.map((item) => item.conversation)).forEach((one) => void this.pump(one));
  }

  private async pump(conversation: string): Promise<void> {
    if (this.pumping.has(conversation)) return;
    this.pumping.add(conversation);
    try {
      for (let item = this.next(conversation); item; item = this.next(conversation)) {
        if (!(await this.attempt(item))) return;
      }
    } finally {
      this.pumping.delete(conversation);
    }
  }

  private next(conversation: string): Outgoing | undefined {
    if (this.connection.state !== "online") return undefined;
    return this.items.value.find((one) => one.conversation === conversation && !one.seq && !one.refused);
  }

  /** True: go on with the next. False: the link is gone, `online` pumps again. */
  private async attempt(item: Outgoing): Promise<boolean> {
    try {
      const body = item.body ?? (await this.bring(item));
      const { conversation, nonce } = item;
      const ack = await this.connection.request<Ack>({ type: "message.send", conversation, nonce, body });
      await this.acknowledged(item, ack.seq);
    } catch (error) {
      return this.failed(item, error);
    }
    return true;
  }

  private async bring(item: Outgoing): Promise<CustomerBody> {
    const stop = new AbortController();
    this.stops.set(item.nonce, stop);
    const told: UploadTold = {
      progress: (progress) => this.show(item.nonce, { progress }),
      begun: (upload) => this.change(item.nonce, { attachment: item.attachment && { ...item.attachment, upload } }),
    };
    const body = await this.upload(item, told, stop.signal).finally(() => this.stops.delete(item.nonce));
    await this.change(item.nonce, { body });
    return body;
  }

  private async acknowledged(item: Outgoing, seq: number): Promise<void> {
    this.show(item.nonce, { seq });
    await this.keep.forget(item.nonce).catch(() => undefined);
  }

  private async failed(item: Outgoing, error: unknown): Promise<boolean> {
    if (!this.items.value.some((one) => one.nonce === item.nonce)) return true; // discarded meanwhile
    if (error instanceof LinkLost) return this.connection.state === "online";
    if (error instanceof RefusedError && !PATIENT.has(error.code)) {
      await this.change(item.nonce, { refused: error.code });
      return true;
    }
    const after = error instanceof RefusedError ? error.refusal.retry_after_ms : null;
    await new Promise((wake) => setTimeout(wake, after ?? PAUSE_MS));
    return true;
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
