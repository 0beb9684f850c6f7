/** One conversation on this page: the log as far as it is loaded, folded. Loads the newest page first, older ones on
 * demand, and pulls any hole it sees. */

import { type Signal, signal } from "@preact/signals";
import { type Connection, RefusedError } from "./connection";
import { makeNonce } from "./nonce";
import { type Order, startingAfter, take } from "./order";
import type { Event as LogEvent, HistoryGet, HistoryPage } from "./protocol.gen";
import { HISTORY_PAGE } from "./protocol.gen";
import { emptyThread, fold, saysWhoAnswers, type Thread } from "./reduce";

const HOLE_PAGE = 500;

export class LiveThread {
  readonly view: Signal<Thread> = signal(emptyThread);
  /** Is there anything before what is loaded? */
  readonly older = signal(false);
  readonly loaded = signal(false);
  private events: LogEvent[] = [];
  private order: Order | null = null;
  private early: LogEvent[] = [];
  private pulling = false;
  private loading: Promise<void> | null = null;

  constructor(
    readonly conversation: string,
    private readonly connection: Connection,
    private readonly applied: (events: readonly LogEvent[]) => void = () => undefined,
  ) {}

  /** For hello: the last seq applied, or null while nothing is. */
  get lastSeq(): number | null {
    return this.order?.last ?? null;
  }

  /** An event as pushed. Before the first page is here, it waits. */
  receive(event: LogEvent): void {
    if (!this.order) this.early.push(event);
    else this.accept([event]);
  }

  /** After each `ready`: the newest page the first time. Later the gateway resumes by itself, from what hello said. */
  async synchronise(last: number): Promise<void> {
    if (!this.order) await (this.loading ??= this.loadNewest(last).finally(() => (this.loading = null)));
  }

  async loadOlder(limit = HISTORY_PAGE): Promise<void> {
    const first = this.events[0];
    if (!first || !this.older.value) return;
    const page = await this.history({ before: first.seq, limit });
    this.prepend(page.events);
  }

  /** Loads backwards until `seq` is here (a search result is opened). */
  async reach(seq: number): Promise<void> {
    while (this.older.value && (this.events[0]?.seq ?? 0) > seq) await this.loadOlder();
  }

  private async loadNewest(last: number): Promise<void> {
    const page = await this.history({ before: last + 1, limit: HISTORY_PAGE });
    this.order = startingAfter((page.events[0]?.seq ?? last + 1) - 1);
    this.older.value = page.more;
    this.accept([...page.events, ...this.early.splice(0)]);
    while (this.older.value && !this.events.some(saysWhoAnswers)) await this.loadOlder(HOLE_PAGE);
    this.loaded.value = true;
  }

  private accept(events: readonly LogEvent[]): void {
    if (!this.order) return;
    const { order, ready, hole } = take(this.order, ...events);
    this.order = order;
    if (ready.length) this.append(ready);
    if (hole) void this.pull(hole.before);
  }

  private append(ready: readonly LogEvent[]): void {
    this.events.push(...ready);
    this.view.value = fold(this.view.value, ready);
    this.applied(ready);
  }

  private prepend(page: readonly LogEvent[]): void {
    const first = this.events[0]?.seq ?? Infinity;
    const fresh = page.filter((event) => event.seq < first);
    this.events = [...fresh, ...this.events];
    this.older.value = (fresh[0]?.seq ?? 1) > 1;
    this.view.value = fold(emptyThread, this.events);
  }

  private async pull(before: number): Promise<void> {
    if (this.pulling || !this.order) return;
    this.pulling = true;
    try {
      while (this.order.last < before - 1) {
        const page = await this.history({ after: this.order.last, limit: HOLE_PAGE });
        if (!page.events.length) return;
        this.accept(page.events);
      }
    } catch {
      // The next event, or the next `ready`, asks again.
    } finally {
      this.pulling = false;
    }
  }

  /** Asked again when the gateway says that it only has no time for it now. */
  private async history(range: Pick<HistoryGet, "after" | "before" | "limit">): Promise<HistoryPage> {
    const { conversation } = this;
    for (;;) {
      try {
        return await this.connection.request<HistoryPage>({ type: "history.get", nonce: makeNonce(), conversation, ...range });
      } catch (error) {
        const afterMs = error instanceof RefusedError && error.refusal.retry_after_ms;
        if (!afterMs) throw error;
        await new Promise((wake) => setTimeout(wake, afterMs));
      }
    }
  }
}
