import { type Signal, signal } from "@preact/signals";
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
let link: Signal<LinkState>;
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
  link = signal<LinkState>("online");
  const page = {
    connection,
    link,
    me: signal<Me | null>(ready({}).me),
    calls: signal<ReadonlyMap<string, CallView>>(new Map()),
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

/** On the line with the assistant. */
async function talk(): Promise<CallView> {
  await open("granted");
  void line.start("c1", "voice");
  await settled();
  browser.prompts[0]!(voice());
  await ack(0, "call");
  const call: CallView = { call: "call", conversation: "c1", media: "voice", state: "with_assistant", started_at: "", epoch: 1 };
  socket.say({ type: "call.changed", call });
  return call;
}

test("what became of the call while the link was down is taken from ready: an advisor is not ducked", async () => {
  const call = await talk();
  await vi.advanceTimersByTimeAsync(5);
  expect(browser.players[0]!.volume).toBeLessThan(1);
  const advised = { ...call, state: "with_advisor", advisor: "a1" } as const;
  socket.say({ ...ready({}), calls: [advised] });
  await vi.advanceTimersByTimeAsync(5);
  expect(browser.players[0]!.volume).toBe(1);
});

test("a gateway that is away for half a minute does not end the call: it is resumed when there is a link again", async () => {
  await talk();
  link.value = "waiting";
  browser.connections.at(-1)!.fail();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(line.state.value).toMatchObject({ phase: "running", reconnecting: true });
  expect(socket.of("call.resume")).toHaveLength(0);
  link.value = "online";
  socket.welcome();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(socket.of("call.resume").map((one) => one.call)).toEqual(["call"]);
});

test("a call that has had no link for a minute is over", async () => {
  await talk();
  link.value = "waiting";
  browser.connections.at(-1)!.fail();
  await vi.advanceTimersByTimeAsync(62_000);
  expect(line.state.value).toMatchObject({ phase: "ended", reason: "lost" });
});

test("the duck is lifted when the page is hidden: nobody draws frames there", async () => {
  await talk();
  await vi.advanceTimersByTimeAsync(5);
  expect(browser.players[0]!.volume).toBeLessThan(1);
  browser.document.hidden = true;
  browser.document.dispatchEvent(new Event("visibilitychange"));
  expect(browser.players[0]!.volume).toBe(1);
});

test("a leg the gateway has ended ends the call here, also when the call's own word does not come", async () => {
  await talk();
  const peer = socket.of("call.start")[0]!.peer;
  socket.say({ type: "peer.closed", peer, reason: "ended" });
  expect(line.inCall).toBe(true);
  await vi.advanceTimersByTimeAsync(2_100);
  expect(line.state.value).toMatchObject({ phase: "ended", since: null });
});

test("the screen stays on: asked for again when the page is seen again, given back at the end", async () => {
  await talk();
  browser.document.dispatchEvent(new Event("visibilitychange"));
  await settled();
  expect(browser.locks).toHaveLength(2);
  void line.hangUp();
  await settled();
  expect(browser.locks[1]!.released).toBe(true);
  browser.document.dispatchEvent(new Event("visibilitychange"));
  await settled();
  expect(browser.locks).toHaveLength(2);
});

test("a microphone that goes away is opened again, muted as it was; one that does not come back is told", async () => {
  await talk();
  const [lost] = line.devices.stream.value!.getAudioTracks() as unknown as FakeTrack[];
  line.devices.mute(true);
  lost!.onended!();
  const fresh = voice();
  browser.prompts[1]!(fresh);
  await settled();
  expect(line.devices.stream.value!.getAudioTracks()).toEqual(fresh.tracks);
  expect(fresh.tracks[0]!.enabled).toBe(false);
  navigator.mediaDevices.getUserMedia = () => Promise.reject(Object.assign(new Error(), { name: "NotFoundError" }));
  fresh.tracks[0]!.onended!();
  await settled();
  expect(line.devices.state.value.notice).toBe("media.none");
});

test("a microphone another call has taken is told as long as it is gone", async () => {
  await talk();
  const [track] = line.devices.stream.value!.getAudioTracks() as unknown as FakeTrack[];
  track!.onmute!();
  expect(line.devices.state.value.notice).toBe("media.in_use");
  track!.onunmute!();
  expect(line.devices.state.value.notice).toBeNull();
});
