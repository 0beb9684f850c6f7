import { expect, test } from "vitest";
import { nextPiece } from "../src/upload";

test("pieces follow the line: about a second each, at most doubled, within bounds", () => {
  const KB = 1024;
  expect(nextPiece(64 * KB, 10)).toBe(128 * KB);
  expect(nextPiece(512 * KB, 3_999)).toBe(128 * KB);
  expect(nextPiece(64 * KB, 60_000)).toBe(64 * KB);
  expect(nextPiece(1024 * KB, 10)).toBe(1024 * KB);
});
