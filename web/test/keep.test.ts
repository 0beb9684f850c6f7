import { IDBFactory } from "fake-indexeddb";
import { beforeEach, expect, test, vi } from "vitest";
import { DatabaseKeep, openDatabase, type Unsent } from "../src/keep";
import { Tab } from "../src/tab";
import { FakeLocks } from "./locks";

let locks: FakeLocks;
beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory());
  locks = new FakeLocks();
});

async function tab(seen: LockManager | undefined = locks.asManager()): Promise<{ name: string; keep: DatabaseKeep }> {
  const opened = await Tab.open(seen);
  return { name: opened.name, keep: new DatabaseKeep(await openDatabase(), opened) };
}

const unsent = (nonce: string, at: string): Unsent => ({
  nonce,
  person: "p1",
  conversation: "c1",
  at,
  body: { kind: "text", text: nonce, choices: [], sources: [], tel: null },
  attachment: null,
  refused: null,
});
const nonces = (items: readonly Unsent[]) => items.map((one) => one.nonce);

test("what an open tab has not sent yet is its own affair; when it is closed the next that asks has it all, in order", async () => {
  const [first, second] = [await tab(), await tab()];
  await first.keep.put(unsent("b", "2026-11-28T10:00:02Z"));
  await first.keep.put(unsent("a", "2026-11-28T10:00:01Z"));
  expect(await second.keep.adopt("p1")).toEqual([]);
  locks.kill(first.name);
  expect(nonces(await second.keep.adopt("p1"))).toEqual(["a", "b"]);
});

test("of two tabs that ask at once only one gets it", async () => {
  const [first, second, third] = [await tab(), await tab(), await tab()];
  await first.keep.put(unsent("a", "2026-11-28T10:00:01Z"));
  locks.kill(first.name);
  const got = await Promise.all([second.keep.adopt("p1"), third.keep.adopt("p1")]);
  expect(got.flatMap(nonces)).toEqual(["a"]);
});

test("adopted twice in a row, by tabs that each closed", async () => {
  const [first, second, third] = [await tab(), await tab(), await tab()];
  await first.keep.put(unsent("a", "2026-11-28T10:00:01Z"));
  locks.kill(first.name);
  await second.keep.adopt("p1");
  expect(await third.keep.adopt("p1")).toEqual([]);
  locks.kill(second.name);
  expect(nonces(await third.keep.adopt("p1"))).toEqual(["a"]);
});

test("what was acknowledged is left to nobody, and nobody gets another person's", async () => {
  const [first, second] = [await tab(), await tab()];
  await first.keep.put(unsent("a", "2026-11-28T10:00:01Z"));
  await first.keep.put({ ...unsent("b", "2026-11-28T10:00:02Z"), person: "p2" });
  await first.keep.forget("a");
  locks.kill(first.name);
  expect(await second.keep.adopt("p1")).toEqual([]);
});

test("without Web Locks a closed tab's messages are still sent by the next", async () => {
  const first = { keep: new DatabaseKeep(await openDatabase(), await Tab.open(undefined)) };
  await first.keep.put(unsent("a", "2026-11-28T10:00:01Z"));
  const second = { keep: new DatabaseKeep(await openDatabase(), await Tab.open(undefined)) };
  expect(nonces(await second.keep.adopt("p1"))).toEqual(["a"]);
});
