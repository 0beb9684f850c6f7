import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connection, type Socket } from "../src/connection";
import { MemoryKeep } from "../src/keep";
import { Outbox } from "../src/outbox";
import type { CustomerBody } from "../src/protocol.gen";
import { FakeSocket } from "./socket";

const text = (words: string): CustomerBody => ({ kind: "text", text: words, choices: [], sources: [], tel: null });

let sockets: FakeSocket[];
let connection: Connection;
let keep: MemoryKeep;
let outbox: Outbox;
const socket = (): FakeSocket => sockets.at(-1)!;
const settled = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  keep = new MemoryKeep();
  connection = new Connection({
    url: "",
    language: () => "zh",
    resume: () => ({}),
    random: () => 0,
    makeSocket: () => (sockets.push(new FakeSocket()), sockets.at(-1) as unknown as Socket),
  });
  outbox = new Outbox(connection, keep, () => Promise.reject(new Error("no files here")));
  connection.open();
  socket().welcome();
});
afterEach(() => {
  connection.close();
  vi.useRealTimers();
});

const ack = (nonce: string, seq: number) => socket().say({ type: "ack", nonce, conversation: "c1", seq, call: null });

test("one in flight: the second goes only after the first is acknowledged", async () => {
  void outbox.send("p1", "c1", text("one"));
  void outbox.send("p1", "c1", text("two"));
  await settled();
  expect(socket().of("message.send")).toHaveLength(1);
  ack(socket().of("message.send")[0]!.nonce, 1);
  await settled();
  expect(socket().of("message.send").map((one) => (one.body as { text: string }).text)).toEqual(["one", "two"]);
});

test("a lost ack: asked again with the same nonce on the next link, in order", async () => {
  void outbox.send("p1", "c1", text("one"));
  void outbox.send("p1", "c1", text("two"));
  await settled();
  const first = socket().of("message.send")[0]!.nonce;
  socket().onclose?.();
  await vi.advanceTimersByTimeAsync(1);
  socket().welcome();
  await settled();
  expect(socket().of("message.send").map((one) => one.nonce)).toEqual([first]);
});

test("kept before the first try, forgotten only when acknowledged", async () => {
  connection.close();
  await outbox.send("p1", "c1", text("offline"));
  expect(await keep.unsent("p1")).toHaveLength(1);
  connection.open();
  socket().welcome();
  await settled();
  ack(socket().of("message.send")[0]!.nonce, 4);
  await settled();
  expect(await keep.unsent("p1")).toHaveLength(0);
  expect(outbox.items.value[0]?.seq).toBe(4);
  outbox.shown("c1", 4);
  expect(outbox.items.value).toHaveLength(0);
});

test("refused for good: the bubble stays and the next message goes on", async () => {
  void outbox.send("p1", "c1", text("bad"));
  void outbox.send("p1", "c1", text("good"));
  await settled();
  const { nonce } = socket().of("message.send")[0]!;
  socket().say({ type: "error", code: "too_large", nonce, re: null, peer: null, detail: "", retry_after_ms: null });
  await settled();
  expect(outbox.items.value[0]?.refused).toBe("too_large");
  expect(socket().of("message.send")).toHaveLength(2);
});

test("too fast: waits as told and tries the same nonce again", async () => {
  void outbox.send("p1", "c1", text("quick"));
  await settled();
  const { nonce } = socket().of("message.send")[0]!;
  socket().say({ type: "error", code: "too_fast", nonce, re: null, peer: null, detail: "", retry_after_ms: 700 });
  await vi.advanceTimersByTimeAsync(699);
  expect(socket().of("message.send")).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2);
  expect(socket().of("message.send").map((one) => one.nonce)).toEqual([nonce, nonce]);
});

test("a closed tab's messages are sent by the next page", async () => {
  connection.close();
  await outbox.send("p1", "c1", text("left behind"));
  const next = new Outbox(connection, keep, () => Promise.reject(new Error("none")));
  connection.open();
  socket().welcome();
  await next.restore("p1");
  await settled();
  expect(socket().of("message.send").length).toBeGreaterThan(0);
});
