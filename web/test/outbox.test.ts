import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connection, LinkLost, type Socket } from "../src/connection";
import type { Keep, Unsent } from "../src/keep";
import { Outbox, type Upload } from "../src/outbox";
import type { CustomerBody } from "../src/protocol.gen";
import { FakeSocket } from "./socket";

const text = (words: string): CustomerBody => ({ kind: "text", text: words, choices: [], sources: [], tel: null });

/** What one browser keeps for its tabs. All of them but this one are closed. */
class FakeKeep implements Keep {
  readonly kept = new Map<string, Unsent>();
  left: Unsent[] = [];

  adopt = async () => this.left.splice(0);
  put = async (item: Unsent) => void this.kept.set(item.nonce, item);
  forget = async (nonce: string) => void this.kept.delete(nonce);
  draft = async () => "";
  setDraft = async () => undefined;
}

let sockets: FakeSocket[];
let connection: Connection;
let keep: FakeKeep;
let outbox: Outbox;
let upload: Upload;
const socket = (): FakeSocket => sockets.at(-1)!;
const settled = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  keep = new FakeKeep();
  connection = new Connection({
    url: "",
    language: () => "zh",
    resume: () => ({}),
    random: () => 0,
    makeSocket: () => (sockets.push(new FakeSocket()), sockets.at(-1) as unknown as Socket),
  });
  upload = () => Promise.reject(new Error("no files here"));
  outbox = new Outbox(connection, keep, (...asked) => upload(...asked));
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
  expect(keep.kept.size).toBe(1);
  connection.open();
  socket().welcome();
  await settled();
  ack(socket().of("message.send")[0]!.nonce, 4);
  await settled();
  expect(keep.kept.size).toBe(0);
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

test("a closed tab's messages are sent by this one, in order and before its own that wait", async () => {
  connection.close();
  await outbox.send("p1", "c1", text("mine"));
  const item = { person: "p1", conversation: "c1", at: "", attachment: null, refused: null };
  keep.left = ["one", "two"].map((words) => ({ ...item, nonce: `n-${words}`, body: text(words) }));
  await outbox.adopt("p1");
  connection.open();
  socket().welcome();
  for (let seq = 1; seq <= 3; seq++) {
    await settled();
    ack(socket().of("message.send").at(-1)!.nonce, seq);
  }
  expect(socket().of("message.send").map((one) => one.body)).toEqual(["one", "two", "mine"].map(text));
});

/** Time on a link that answers its pings. */
async function onTheLink(ms: number): Promise<void> {
  for (const until = Date.now() + ms; Date.now() < until; socket().say({ type: "pong", t: 0 })) await vi.advanceTimersByTimeAsync(500);
}

const file = { blob: new Blob(["x"]), name: "a.jpg", purpose: "image", upload: null } as const;

test("what is written after a file does not wait for its bytes", async () => {
  let there: (body: CustomerBody) => void = () => undefined;
  upload = () => new Promise((resolve) => (there = resolve));
  void outbox.send("p1", "c1", file);
  void outbox.send("p1", "c1", text("宝宝抽搐了"));
  await settled();
  expect(socket().of("message.send").map((one) => one.body)).toEqual([text("宝宝抽搐了")]);
  ack(socket().of("message.send")[0]!.nonce, 1);
  there(text("the file"));
  await settled();
  expect(socket().of("message.send").map((one) => one.body)).toEqual([text("宝宝抽搐了"), text("the file")]);
});

test("a file that cannot be read on a link that is up: a few tries, further and further apart, then said", async () => {
  const tries: number[] = [];
  const from = Date.now();
  upload = () => (tries.push(Date.now() - from), Promise.reject(new LinkLost("upload")));
  void outbox.send("p1", "c1", file);
  await onTheLink(60_000);
  expect(tries).toEqual([0, 2_000, 6_000, 14_000, 30_000]);
  expect(outbox.items.value[0]?.refused).toBe("unavailable");
  await outbox.retry(outbox.items.value[0]!.nonce);
  await settled();
  expect(tries).toHaveLength(6);
});

test("tries that bring a file further are not counted against it", async () => {
  let share = 0;
  upload = async (_, told) => {
    told.progress((share += 0.1));
    throw new LinkLost("upload");
  };
  void outbox.send("p1", "c1", file);
  await onTheLink(18_500);
  expect(share).toBeGreaterThan(0.9);
  expect(outbox.items.value[0]?.refused).toBeNull();
});

test("what is written while the link is down asks for the link at once", async () => {
  connection.close();
  const before = sockets.length;
  expect(outbox.waits).toBe(false);
  void outbox.send("p1", "c1", text("one"));
  await settled();
  expect(outbox.waits).toBe(true);
  expect(sockets.length).toBe(before + 1);
  socket().welcome();
  await settled();
  ack(socket().of("message.send")[0]!.nonce, 1);
  await settled();
  expect(outbox.waits).toBe(false);
});
