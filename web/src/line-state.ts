/** What a page shows of its part in a call. */

import type { PlainKey } from "./i18n";
import type { MediaKind } from "./protocol.gen";

export interface LineState {
  readonly phase: "idle" | "opening" | "running" | "ended";
  readonly call: string | null;
  readonly conversation: string | null;
  readonly media: MediaKind;
  /** Why there is no call, in words. */
  readonly trouble: PlainKey | null;
  /** Why it ended, as the gateway says. */
  readonly reason: string | null;
  readonly reconnecting: boolean;
  /** Date.now() of our part's beginning, while it runs. */
  readonly since: number | null;
}

export const IDLE: LineState = {
  phase: "idle",
  call: null,
  conversation: null,
  media: "voice",
  trouble: null,
  reason: null,
  reconnecting: false,
  since: null,
};
