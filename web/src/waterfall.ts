/** The join, step by step, in milliseconds since the tap. */

import type { Waterfall } from "./protocol.gen";
import type { Peer } from "./rtc";

const LOOK_MS = 10;
const LOOKS = 1_500;

export class Joining {
  readonly tapAt = performance.now();
  private readonly steps = new Map<string, number>();
  private peer: Peer | null = null;
  private looking: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly mode: Waterfall["mode"]) {}

  mark(step: string, at = performance.now()): void {
    if (!this.steps.has(step)) this.steps.set(step, Math.max(0, at - this.tapAt));
  }

  /** From here on this is the connection whose steps count. */
  follow(peer: Peer): void {
    this.peer = peer;
    this.look(LOOKS);
  }

  stop(): void {
    clearTimeout(this.looking);
  }

  /** What happened before the tap (a standby's offer, ICE, DTLS) took none of its time and is left out. */
  get waterfall(): Waterfall {
    const ofPeer = Object.entries(this.peer?.reached ?? {})
      .filter(([, at]) => at >= this.tapAt)
      .map(([step, at]) => [step, at - this.tapAt] as const);
    const rounded = [...ofPeer, ...this.steps].map(([step, ms]) => [step, Math.round(ms * 10) / 10] as const);
    return { mode: this.mode, steps: Object.fromEntries(rounded.sort((a, b) => a[1] - b[1])) };
  }

  private look(left: number): void {
    if (!this.peer || left === 0 || this.steps.has("first_packet")) return;
    if (this.peer.heard) return this.mark("first_packet");
    this.looking = setTimeout(() => this.look(left - 1), LOOK_MS);
  }
}
