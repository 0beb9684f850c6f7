import { afterEach, expect, test } from "vitest";
import { dueText, groupOf } from "../src/console/inbox";
import { language } from "../src/i18n";
import type { InboxItem } from "../src/protocol.gen";

afterEach(() => {
  language.value = "zh";
});

const item = (more: Partial<InboxItem>): InboxItem => ({ conversation: "c1", state: "with_assistant", ...more }) as InboxItem;
const due = { callback_at: "2026-11-25T02:00:00.000000Z" };

test("a promised call is a section of its own where nobody has the conversation", () => {
  expect(groupOf(item(due), "me")).toBe("callback");
  expect(groupOf(item({ ...due, state: "resolved" }), "me")).toBe("callback");
  expect(groupOf(item({ ...due, state: "queued" }), "me")).toBe("queue");
  expect(groupOf(item({ ...due, state: "assigned", assignee: "me" }), "me")).toBe("mine");
  expect(groupOf(item({ ...due, state: "assigned", assignee: "other" }), "me")).toBe("others");
  expect(groupOf(item({}), "me")).toBe("assistant");
});

test("the day of the call is said, not only the hour", () => {
  const at = "2026-11-25T10:00:00";
  expect(dueText(at)).toBe("11月25日周三 10:00");
  language.value = "en";
  expect(dueText(at)).toBe("Wed 25 November 10:00");
});
