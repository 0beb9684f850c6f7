/** While a call runs: its media statistics and join waterfall go to the gateway, the network's quality to the page, and
 * the screen stays on. */

import { signal } from "@preact/signals";
import type { Connection } from "./connection";
import type { Joining } from "./waterfall";

export type Quality = "good" | "poor" | "bad";
type Stats = Readonly<Record<string, number>>;

const EVERY_MS = 5_000;
/** Loss of what we hear and round trip, from which speech begins to suffer and from which it does not get through. */
const POOR = { loss: 0.03, rttMs: 300 };
const BAD = { loss: 0.12, rttMs: 800 };

export class Telling {
  readonly quality = signal<Quality>("good");
  private clock: ReturnType<typeof setInterval> | undefined;
  private before: Stats = {};
  private awake: WakeLockSentinel | null = null;

  constructor(
    private readonly connection: Connection,
    private readonly call: () => string | null,
    private readonly stats: () => Promise<Stats>,
  ) {
    // The browser takes the lock back whenever the page is hidden.
    document.addEventListener("visibilitychange", () => this.clock && void this.stayAwake());
  }

  start(): void {
    clearInterval(this.clock);
    this.clock = setInterval(() => void this.report(), EVERY_MS);
    void this.stayAwake();
  }

  stop(): void {
    clearInterval(this.clock);
    this.clock = undefined;
    this.before = {};
    this.quality.value = "good";
    void this.awake?.release().catch(() => undefined);
    this.awake = null;
  }

  /** The other side is audible: the join is over. It may be so before the gateway has acknowledged the call. */
  heard(joining: Joining, at: number): void {
    joining.mark("first_sound", at);
    const tell = (): void => {
      const call = this.call();
      if (call) this.connection.send({ type: "call.report", call, waterfall: joining.waterfall });
    };
    if (this.call()) tell();
    else setTimeout(tell, EVERY_MS);
  }

  private async report(): Promise<void> {
    const stats = await this.stats();
    const call = this.call();
    if (call) this.connection.send({ type: "call.report", call, stats });
    this.quality.value = qualityOf(this.before, stats);
    this.before = stats;
  }

  private async stayAwake(): Promise<void> {
    try {
      const awake = await navigator.wakeLock.request("screen");
      if (this.clock) this.awake = awake;
      else await awake.release(); // hung up meanwhile
    } catch {
      // Not offered, or the battery is low: the call goes on without.
    }
  }
}

export function qualityOf(before: Stats, now: Stats): Quality {
  const grown = (key: string): number => Math.max(0, (now[key] ?? 0) - (before[key] ?? 0));
  const lost = grown("audio_lost");
  const loss = Math.max(lost / Math.max(1, lost + grown("audio_received")), now["audio_loss_sent"] ?? 0);
  const rttMs = now["audio_rtt_ms"] ?? 0;
  if (loss > BAD.loss || rttMs > BAD.rttMs) return "bad";
  return loss > POOR.loss || rttMs > POOR.rttMs ? "poor" : "good";
}
