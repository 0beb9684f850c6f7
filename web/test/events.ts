import type { Event as LogEvent, EventKind } from "../src/protocol.gen";

export const event = (seq: number, kind: EventKind = "message.sent", more: Partial<LogEvent> = {}): LogEvent => ({
  conversation: "c1",
  seq,
  kind,
  sender: "p1",
  role: "customer",
  at: `2026-11-22T00:00:${String(seq % 60).padStart(2, "0")}.000000Z`,
  epoch: 0,
  ai: false,
  nonce: null,
  body: kind === "message.sent" ? { kind: "text", text: `m${seq}`, choices: [], sources: [], tel: null } : null,
  data: {},
  ...more,
});
