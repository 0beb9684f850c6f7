/** What tests and benchmarks read from a page: measured, not believed. Holds nothing the person could not see anyway. */

import type { CallLine } from "./call";
import type { Page } from "./page";
import { framesShown } from "./ui/picture";

export interface Exposed {
  /** The last join, in milliseconds since the tap. */
  readonly waterfall: unknown;
  readonly call: unknown;
  readonly levels: unknown;
  readonly frames: Readonly<Record<string, number>>;
  readonly link: string;
  readonly standby: string;
  stats(): Promise<Record<string, number>>;
  lastSeq(): Record<string, number | null>;
}

export function expose(page: Page, line: CallLine): void {
  const exposed: Exposed = {
    get waterfall() {
      return line.joining?.waterfall ?? null;
    },
    get call() {
      const state = line.state.value;
      return { ...state, state: page.calls.value.get(state.call ?? "")?.state ?? null };
    },
    get levels() {
      return line.sound.levels;
    },
    get frames() {
      return framesShown;
    },
    get link() {
      return page.link.value;
    },
    get standby() {
      return line.standbyState;
    },
    stats: () => line.stats(),
    lastSeq: () => page.lastSeqs(),
  };
  Object.assign(globalThis, { __nestcall: exposed });
}
