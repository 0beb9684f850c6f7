import { afterEach, expect, test } from "vitest";
import { Connection, type Socket } from "../src/connection";
import { LiveThread } from "../src/thread";
import { event } from "./events";
import { FakeSocket } from "./socket";

const LENGTH = 1_200;
let connection: Connection;
afterEach(() => connection.close());

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
