import { signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CallLine } from "../src/call";
import { Connection, type LinkState, type Socket } from "../src/connection";
import type { Page } from "../src/page";
import { textBody } from "../src/outbox";
import type { CallView, Me } from "../src/protocol.gen";
import { type FakeBrowser, FakeStream, FakeTrack, fakeBrowser } from "./browser";
import { FakeSocket, ready } from "./socket";

let browser: FakeBrowser;
let socket: FakeSocket;
let line: CallLine;
let sent: unknown[][];
const settled = () => vi.advanceTimersByTimeAsync(0);
const voice = () => new FakeStream([new FakeTrack("audio")]);
const video = () => new FakeStream([new FakeTrack("audio"), new FakeTrack("video")]);
const stopped = (stream: FakeStream) => stream.tracks.every((track) => track.stopped);

/** A page with its microphone allowed before or not, on a link that is up. */
async function open(permission: "granted" | "prompt"): Promise<void> {
  browser = fakeBrowser(permission);
  socket = new FakeSocket();
  sent = [];
  const connection = new Connection({
    url: "",
    language: () => "zh",
    resume: () => ({}),
    makeSocket: () => socket as unknown as Socket,
  });
  const page = {
    connection,
    link: signal<LinkState>("online"),
    me: signal<Me | null>(ready({}).me),
    calls: signal<ReadonlyMap<string, CallView>>(new Map()),
    home: signal("c1"),
    ask: connection.request.bind(connection),
    outbox: { send: async (...what: unknown[]) => void sent.push(what) },
  };
  line = new CallLine(page as unknown as Page);
  connection.open();
  socket.welcome();
  await settled();
}

const ack = async (n: number, call: string) => {
  socket.say({ type: "ack", nonce: socket.of("call.start")[n]!.nonce, conversation: "c1", seq: 1, call });
  await settled();
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("hung up and tapped again while the camera opens: the late camera is put out, the new microphone stays", async () => {
  await open("granted");
  void line.start("c1", "video");
  await settled();
  await line.hangUp();
  void line.start("c1", "voice");
  await settled();
  const [camera, microphone] = [video(), voice()];
  browser.prompts[1]!(microphone);
  await settled();
  browser.prompts[0]!(camera);
  await settled();
  expect(stopped(camera)).toBe(true);
  expect(line.devices.stream.value).toBe(microphone);
  await line.hangUp();
  expect(stopped(microphone)).toBe(true);
});

test("hung up and tapped again while the permission prompt is open: one call is asked for", async () => {
  await open("prompt");
  void line.start("c1", "voice");
  await settled();
  await line.hangUp();
  void line.start("c1", "voice");
  await settled();
  const streams = [voice(), voice()];
  streams.forEach((stream, n) => browser.prompts[n]!(stream));
  await settled();
  expect(socket.of("call.start")).toHaveLength(1);
  expect(streams.map(stopped)).toEqual([true, false]);
});

test("the late answer to a tap that was hung up is not taken for the next one's; its call is left", async () => {
  await open("granted");
  void line.start("c1", "voice");
  await settled();
  await line.hangUp();
  void line.start("c1", "voice");
  await settled();
  await ack(0, "first");
  expect(socket.of("call.leave").map((one) => one.call)).toEqual(["first"]);
  expect(line.state.value).toMatchObject({ phase: "opening", call: null });
  await ack(1, "second");
  expect(line.state.value).toMatchObject({ phase: "running", call: "second" });
});

test("what she types in a call and the link loses goes as a message under the same nonce", async () => {
  await open("granted");
  void line.start("c1", "voice");
  await line.say("while it rings");
  expect(sent[0]!.slice(0, 3)).toEqual(["p1", "c1", textBody("while it rings")]);
  await settled();
  await ack(0, "call");
  const saying = line.say("订单到哪了");
  socket.onclose?.();
  await saying;
  expect(sent[1]).toEqual(["p1", "c1", textBody("订单到哪了"), socket.of("call.say")[0]!.nonce]);
});
