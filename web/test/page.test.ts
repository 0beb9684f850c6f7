import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { language } from "../src/i18n";
import { Page } from "../src/page";
import type { CallView } from "../src/protocol.gen";
import { inserted } from "../src/ui/composer";
import { FakeSocket } from "./socket";

let socket: FakeSocket;
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("location", { protocol: "https:", host: "shop" });
  vi.stubGlobal("document", new EventTarget());
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("WebSocket", function () {
    return (socket = new FakeSocket());
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const call = (name: string, conversation: string): CallView => ({
  call: name,
  conversation,
  media: "voice",
  state: "with_assistant",
  started_at: "",
  epoch: 1,
});

/** A console that has heard of two calls, with a caption and a measured turn of each. */
async function console(): Promise<Page> {
  const page = await Page.open(() => Promise.reject(new Error("no files")), true);
  socket.welcome();
  for (const one of [call("k1", "c1"), call("k2", "c2")]) {
    socket.say({ type: "call.changed", call: one });
    const of = { call: one.call, conversation: one.conversation, turn: 1 };
    socket.say({ type: "caption.shown", ...of, role: "customer", text: "好", lit: 1, final: true, choices: [] });
    socket.say({ type: "turn.measured", ...of, parts_ms: {}, response_ms: 400 });
  }
  return page;
}

const known = (page: Page) => [page.calls, page.captions, page.turns].map((one) => [...one.value.keys()]);

test("a conversation that is left leaves no call that looks as if it ran", async () => {
  const page = await console();
  page.leave("c1");
  expect(known(page)).toEqual([["k2"], ["k2"], ["k2"]]);
  page.connection.close();
});

test("a call that has ended leaves nothing behind", async () => {
  const page = await console();
  socket.say({ type: "call.changed", call: { ...call("k2", "c2"), state: "ended" } });
  expect(known(page)).toEqual([["k1"], ["k1"], ["k1"]]);
  page.connection.close();
});

test("the gateway hears of the language the page is shown in, by hello and then at once", async () => {
  const page = await console();
  const told = () => socket.sent.filter((one) => one.type === "language.set").map((one) => "language" in one && one.language);
  expect(told()).toEqual([]);
  language.value = "en";
  expect(told()).toEqual(["en"]);
  language.value = "zh";
  expect(told()).toEqual(["en", "zh"]);
  page.connection.close();
});

test("who took an alarm is kept by name", async () => {
  const page = await console();
  const alarm = { alarm: "a1", conversation: "c1", customer_name: "", store: "", sign: "", text: "", at: "", action: "", acknowledged_by: null };
  socket.say({ type: "alarm.raised", alarm } as never);
  socket.say({ type: "alarm.acknowledged", alarm: "a1", by: "p-chen", name: "陈顾问" });
  expect(page.alarms.value.map(({ acknowledged_by, taker }) => [acknowledged_by, taker])).toEqual([["p-chen", "陈顾问"]]);
  page.connection.close();
});

test("what is put into the composer stands after what was written, never over it", () => {
  expect(inserted("", "您好")).toBe("您好");
  expect(inserted("先看看\n", "您好")).toBe("先看看\n您好");
});

test("an alarm somebody took while this console was away does not go on ringing here", async () => {
  const page = await console();
  const alarm = { alarm: "a1", conversation: "c1", customer_name: "", store: "", sign: "", text: "", at: "", severity: "emergency", acknowledged_by: null };
  socket.say({ type: "alarm.raised", alarm } as never);
  expect(page.alarms.value).toHaveLength(1);
  socket.onclose?.();
  await vi.advanceTimersByTimeAsync(1_000);
  socket.welcome();
  expect(page.alarms.value).toHaveLength(0);
  page.connection.close();
});
