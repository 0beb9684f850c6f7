import { expect, test } from "vitest";
import type { Event as LogEvent } from "../src/protocol.gen";
import { apply, emptyThread, fold } from "../src/reduce";
import { event } from "./events";
import written from "./fold.json";

interface Snapshot {
  state: string;
  owner: string;
  epoch: number;
  assignee: string | null;
  waiting_since: string | null;
  handoff_reason: string | null;
  red_flag: string | null;
  call: string | null;
  last_seq: number;
}
interface Case {
  seed: number;
  events: LogEvent[];
  snapshots: Snapshot[];
}

const cases = written as unknown as Case[];

test("the page folds a log to what the gateway folds it to, after each event", () => {
  expect(cases.length).toBeGreaterThan(5);
  for (const { seed, events, snapshots } of cases) {
    let thread = emptyThread;
    events.forEach((one, at) => {
      thread = apply(thread, one);
      const ours: Snapshot = {
        state: thread.state,
        owner: thread.owner,
        epoch: thread.epoch,
        assignee: thread.assignee,
        waiting_since: thread.waitingSince,
        handoff_reason: thread.handoffReason,
        red_flag: thread.redFlag?.sign ?? null,
        call: thread.call?.call ?? null,
        last_seq: thread.lastSeq,
      };
      expect(ours, `seed ${seed}, seq ${one.seq} ${one.kind}`).toEqual(snapshots[at]);
    });
  }
});

test("law: folding a snapshot and the rest is folding everything", () => {
  for (const { events } of cases)
    for (let cut = 0; cut <= events.length; cut += 7)
      expect(fold(fold(emptyThread, events.slice(0, cut)), events.slice(cut))).toEqual(fold(emptyThread, events));
});

test("edits, recalls and feedback change their message and nothing else", () => {
  const thread = fold(emptyThread, [
    event(1),
    event(2, "message.sent", { role: "assistant", ai: true }),
    event(3, "message.edited", { data: { target: 1, text: "better" } }),
    event(4, "feedback.given", { data: { target: 2, verdict: "down", comment: "" } }),
    event(5, "message.recalled", { data: { target: 1 } }),
  ]);
  expect(thread.entries).toHaveLength(2);
  expect(thread.entries[0]).toMatchObject({ seq: 1, recalled: true, body: null });
  expect(thread.entries[1]).toMatchObject({ seq: 2, ai: true, feedback: "down", recalled: false });
});

test("receipts only grow, and what is read is delivered", () => {
  const mark = (seq: number, delivered: number, read: number) =>
    event(seq, "receipt.marked", { data: { party: "p2", delivered, read } });
  const thread = fold(emptyThread, [mark(1, 5, 3), mark(2, 4, 7), mark(3, 0, 0)]);
  expect(thread.receipts["p2"]).toEqual({ delivered: 7, read: 7 });
});
