import { afterEach, expect, test, vi } from "vitest";
import { Connection, type Socket } from "../src/connection";
import { LiveThread } from "../src/thread";
import { event } from "./events";
import { FakeSocket } from "./socket";

const LENGTH = 1_200;
let connection: Connection;
afterEach(() => connection.close());

test("a first page refused for the moment is asked for again", async () => {
  vi.useFakeTimers();
  const socket = new FakeSocket();
  connection = new Connection({ url: "", language: () => "zh", resume: () => ({}), makeSocket: () => socket as unknown as Socket });
  connection.open();
  socket.welcome();
  const thread = new LiveThread("c1", connection);
  void thread.synchronise(1);
  const refusal = { type: "error", code: "storage_busy", re: "history.get", peer: null, detail: "", retry_after_ms: 1_000 } as const;
  socket.say({ ...refusal, nonce: socket.of("history.get")[0]!.nonce });
  await vi.advanceTimersByTimeAsync(1_100);
  const started = event(1, "conversation.started");
  socket.say({ type: "history.page", nonce: socket.of("history.get")[1]!.nonce, conversation: "c1", events: [started], last_seq: 1, more: false });
  await vi.advanceTimersByTimeAsync(0);
  expect(thread.loaded.value).toBe(true);
  vi.useRealTimers();
});

test("a long history that never says who answers is loaded in few, large pages", async () => {
  const socket = new FakeSocket();
  connection = new Connection({ url: "", language: () => "zh", resume: () => ({}), makeSocket: () => socket as unknown as Socket });
  connection.open();
  socket.welcome();
  const thread = new LiveThread("c1", connection);
  const all = Array.from({ length: LENGTH }, (_, n) => event(n + 1));
  const loading = thread.synchronise(LENGTH);
  for (let asked = 0; !thread.loaded.value; asked++) {
    const { nonce, before, limit } = socket.of("history.get")[asked]!;
    const events = all.filter((one) => one.seq < before!).slice(-limit!);
    socket.say({ type: "history.page", nonce, conversation: "c1", events, last_seq: LENGTH, more: events[0]!.seq > 1 });
    await Promise.resolve().then(() => new Promise((wake) => setTimeout(wake)));
  }
  await loading;
  expect(thread.view.value.entries).toHaveLength(LENGTH);
  expect(socket.of("history.get").length).toBeLessThanOrEqual(4);
});
