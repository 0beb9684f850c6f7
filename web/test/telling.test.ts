import { expect, test } from "vitest";
import { qualityOf } from "../src/telling";

const before = { audio_received: 1000, audio_lost: 10 };

test("quality is judged by what happened since the last look", () => {
  expect(qualityOf(before, { audio_received: 1250, audio_lost: 10, audio_rtt_ms: 40 })).toBe("good");
  expect(qualityOf(before, { audio_received: 1235, audio_lost: 25, audio_rtt_ms: 40 })).toBe("poor");
  expect(qualityOf(before, { audio_received: 1150, audio_lost: 110, audio_rtt_ms: 40 })).toBe("bad");
  expect(qualityOf(before, { audio_received: 1250, audio_lost: 10, audio_rtt_ms: 900 })).toBe("bad");
  expect(qualityOf(before, { audio_received: 1250, audio_lost: 10, audio_loss_sent: 0.05 })).toBe("poor");
  expect(qualityOf({}, {})).toBe("good");
});
