import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connection, LinkLost, type Socket } from "../src/connection";
import { FakeSocket } from "./socket";

let sockets: FakeSocket[];
let connection: Connection;
let longestPauseMs: number;

beforeEach(() => {
  vi.useFakeTimers();
  sockets = [];
  longestPauseMs = 20_000;
  connection = new Connection({
    url: "ws://test/ws",
    language: () => "zh",
    resume: () => ({ c1: 7 }),
    random: () => 0.5,
    longestPauseMs: () => longestPauseMs,
    makeSocket: () => {
      sockets.push(new FakeSocket());
      return sockets.at(-1) as unknown as Socket;
    },
  });
  connection.open();
});
afterEach(() => {
  connection.close();
  vi.useRealTimers();
});

const socket = (): FakeSocket => sockets.at(-1)!;

test("hello names what the page has; ready makes it online", () => {
  socket().welcome();
  expect(socket().of("hello")[0]?.resume).toEqual({ c1: 7 });
  expect(connection.state).toBe("online");
});

test("peer connections are made with the newest ICE servers", () => {
  socket().welcome();
  const fresh = [{ urls: ["turn:shop"], username: "2:me", credential: "new" }];
  socket().say({ type: "ice.renewed", ice_servers: fresh });
  expect(connection.ready?.ice_servers).toEqual(fresh);
});

test("who was signed out elsewhere is not connected again", () => {
  socket().welcome();
  socket().say({ type: "error", code: "unauthenticated", detail: "" });
  socket().onclose?.();
  vi.advanceTimersByTime(2_000);
  socket().onopen?.();
  socket().say({ type: "error", code: "unauthenticated", detail: "" });
  expect(connection.state).toBe("refused");
});

test("a half-open link is given up within 25 s and tried again", () => {
  socket().welcome();
  const first = socket();
  vi.advanceTimersByTime(25_000);
  expect(first.closed).toBe(true);
  vi.advanceTimersByTime(20_000);
  expect(sockets.length).toBeGreaterThan(1);
});

test("a link that answers pings stays", () => {
  socket().welcome();
  for (let s = 0; s < 120; s++) {
    vi.advanceTimersByTime(1_000);
    const pings = socket().of("ping").length;
    if (pings > s / 11) socket().say({ type: "pong", t: 0 });
  }
  expect(sockets).toHaveLength(1);
});

test("a hidden page whose timers run once a minute keeps a link that answers", () => {
  socket().welcome();
  for (let minute = 0; minute < 10; minute++) {
    vi.setSystemTime(Date.now() + 59_500);
    vi.advanceTimersByTime(500);
    if (socket().of("ping").length > minute) socket().say({ type: "pong", t: 0 });
  }
  expect(sockets).toHaveLength(1);
  expect(socket().of("ping").length).toBeGreaterThan(8);
  vi.advanceTimersByTime(25_000); // seen again, and now nothing answers
  expect(sockets[0]!.closed).toBe(true);
});

test("a link on which no ready comes is given up", () => {
  socket().onopen?.();
  vi.advanceTimersByTime(7_900);
  expect(sockets[0]!.closed).toBe(false);
  vi.advanceTimersByTime(200);
  expect(sockets[0]!.closed).toBe(true);
});

test("the delay before the next try doubles, is jittered and bounded", () => {
  const seen: number[] = [];
  for (let n = 0; n < 9; n++) {
    const from = Date.now();
    const count = sockets.length;
    socket().onclose?.();
    while (sockets.length === count) vi.advanceTimersByTime(50);
    seen.push(Date.now() - from);
  }
  expect(seen[0]).toBeLessThanOrEqual(250);
  expect(seen[3]! / seen[2]!).toBeCloseTo(2, 0);
  expect(Math.max(...seen)).toBeLessThanOrEqual(20_000 * 0.5 + 50);
});

test("while somebody waits for the link no try waits for longer than asked", () => {
  longestPauseMs = 2_000;
  for (let n = 0; n < 12; n++) {
    const before = sockets.length;
    socket().onclose?.();
    vi.advanceTimersByTime(2_000);
    expect(sockets.length).toBe(before + 1);
  }
});

test("a request resolves with its ack, and is rejected when the link is lost", async () => {
  socket().welcome();
  const nonce = "n-12345678";
  const acked = connection.request({ type: "inbox.watch", nonce });
  socket().say({ type: "ack", nonce, conversation: null, seq: 3, call: null });
  expect(await acked).toMatchObject({ seq: 3 });
  const lost = connection.request({ type: "inbox.watch", nonce: "n-87654321" });
  socket().onclose?.();
  await expect(lost).rejects.toBeInstanceOf(LinkLost);
});

test("being signed out is not tried again", () => {
  socket().onopen?.();
  const refusal = { nonce: null, re: null, peer: null, detail: "", retry_after_ms: null };
  socket().say({ type: "error", code: "unauthenticated", ...refusal });
  vi.advanceTimersByTime(60_000);
  expect(connection.state).toBe("refused");
  expect(sockets).toHaveLength(1);
});

test("draining: back after about the time asked for", () => {
  socket().welcome();
  socket().say({ type: "draining", reconnect_in_ms: 1_000 });
  vi.advanceTimersByTime(900);
  expect(sockets).toHaveLength(1);
  vi.advanceTimersByTime(200);
  expect(sockets).toHaveLength(2);
});

test("where WebSockets never come up the fallback carries the link, until one opens", async () => {
  const fallbacks: FakeSocket[] = [];
  const stubborn = new Connection({
    url: "",
    language: () => "zh",
    resume: () => ({}),
    random: () => 0,
    makeSocket: () => (sockets.push(new FakeSocket()), socket() as unknown as Socket),
    makeFallback: async () => (fallbacks.push(new FakeSocket()), fallbacks.at(-1) as unknown as Socket),
  });
  stubborn.open();
  for (let n = 0; n < 12 && !fallbacks.length; n++) {
    socket().onclose?.();
    await vi.advanceTimersByTimeAsync(1);
  }
  fallbacks[0]!.welcome();
  expect(stubborn.state).toBe("online");
  await vi.advanceTimersByTimeAsync(2_000);
  socket().onopen?.(); // the probe
  await vi.advanceTimersByTimeAsync(1);
  expect(fallbacks[0]!.closed).toBe(true);
  socket().welcome();
  expect(stubborn.state).toBe("online");
  stubborn.close();
});
