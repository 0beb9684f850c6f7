import { afterEach, expect, test, vi } from "vitest";
import { clockTime, dayName, language } from "../src/i18n";

afterEach(() => {
  vi.restoreAllMocks();
  language.value = "zh";
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
