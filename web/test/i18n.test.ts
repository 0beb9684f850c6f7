import { afterEach, expect, test, vi } from "vitest";
import { clockTime, dayName, endReasonText, handoffText, language, readOf } from "../src/i18n";

afterEach(() => {
  vi.restoreAllMocks();
  language.value = "zh";
});

test("staff read of her what she reads of herself", () => {
  const hers = [endReasonText("customer_left"), handoffText("angry"), handoffText("nobody knows")];
  expect(hers).toEqual(["您已挂断", "尽快为您处理", "需要顾问"]);
  readOf(() => ({ "ended.customer_left": "顾客已挂断", "handoff.angry": "顾客情绪需要安抚" }));
  const theirs = [endReasonText("customer_left"), handoffText("angry"), endReasonText("silent")];
  readOf(() => ({}));
  expect(theirs).toEqual(["顾客已挂断", "顾客情绪需要安抚", "很久没有声音，通话已结束"]);
});

test("times of a long timeline are worded with one formatter a language, not one a message", () => {
  const made = vi.spyOn(Intl, "DateTimeFormat");
  const word = () => Array.from({ length: 50 }, (_, i) => dayName(`2026-11-${String((i % 28) + 1).padStart(2, "0")}T12:00:00`));
  const zh = word();
  word();
  language.value = "en";
  const en = word();
  expect(zh[0]).toContain("11月1日");
  expect(en[0]).toContain("1 November");
  expect(clockTime("2026-11-01T12:05:00")).toBe("12:05");
  expect(made.mock.calls.length).toBeLessThanOrEqual(3);
});
