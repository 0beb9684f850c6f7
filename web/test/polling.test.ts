import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connection, type Socket } from "../src/connection";
import { PolledSocket } from "../src/polling";

const ME = { id: "p1", role: "customer", name: "", store: null, language: "zh" };
const INBOX = { items: [{ conversation: "c1", last_seq: 3, assignee: null }] };

/** Which requests reach the gateway; those that do not hang for ever, as on a half-open link. */
let reaches: (path: string) => boolean;
let asked: string[];
let hanging: Set<string>;
let connection: Connection;

function answer(path: string): unknown {
  if (path.endsWith("/me")) return ME;
  return path.endsWith("/inbox") ? INBOX : { events: [], last_seq: 3, more: false };
}

/** A gateway whose poll answers, empty, when it has waited as long as it was asked to. */
function gateway(path: string, { signal }: RequestInit): Promise<Response> {
  asked.push(path);
  const waitMs = Number(new URL(path, "http://shop").searchParams.get("wait") ?? 0) * 1000;
  return new Promise((resolve, reject) => {
    signal?.addEventListener("abort", () => (hanging.delete(path), reject(new Error("aborted"))));
    if (reaches(path)) setTimeout(() => resolve(new Response(JSON.stringify(answer(path)))), waitMs);
    else hanging.add(path);
  });
}

beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal("fetch", gateway);
  [reaches, asked, hanging] = [() => true, [], new Set()];
  connection = new Connection({
    url: "",
    language: () => "zh",
    resume: () => ({}),
    makeSocket: () => new PolledSocket() as unknown as Socket,
  });
  connection.open();
  await vi.advanceTimersByTimeAsync(10);
  expect(connection.state).toBe("online");
});
afterEach(() => {
  connection.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("a link that answers stays, with one poll after the other", async () => {
  await vi.advanceTimersByTimeAsync(120_000);
  expect(connection.state).toBe("online");
  expect(asked.filter((path) => path.includes("wait=")).length).toBeGreaterThan(7);
});

test("half-open: when nothing comes back any more it is noticed within 25 s, and nothing is left hanging", async () => {
  await vi.advanceTimersByTimeAsync(15_000);
  reaches = () => false;
  await vi.advanceTimersByTimeAsync(25_000);
  expect(connection.state).not.toBe("online");
  connection.close();
  await vi.advanceTimersByTimeAsync(0);
  expect(hanging).toEqual(new Set());
});

test("half-open: a poll that hangs alone is noticed within 25 s, though everything else is answered", async () => {
  reaches = (path) => !path.includes("wait=");
  await vi.advanceTimersByTimeAsync(14_100); // the poll that was under way ends
  const gone = new Promise<boolean>((resolve) => connection.onState((state) => state !== "online" && resolve(true)));
  await vi.advanceTimersByTimeAsync(25_000);
  expect(await Promise.race([gone, Promise.resolve(false)])).toBe(true);
});

test("half-open: a message whose request hangs alone is given up, to be sent again", async () => {
  reaches = (path) => path.includes("wait=") || path.endsWith("/me");
  const body = { kind: "text", text: "one", choices: [], sources: [], tel: null } as const;
  const sent = connection.request({ type: "message.send", conversation: "c1", nonce: "n-12345678", body });
  const lost = expect(sent).rejects.toThrow("lost");
  await vi.advanceTimersByTimeAsync(16_000);
  await lost;
});
