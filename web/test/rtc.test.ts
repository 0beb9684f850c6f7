import { expect, test } from "vitest";
import { briefly } from "../src/rtc";

const WANTED = [
  "v=0",
  "a=group:BUNDLE 0 1",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "a=ice-ufrag:zS2y",
  "a=fingerprint:sha-256 21:85",
  "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
  "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
  "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
  "a=msid:- 533b",
  "a=rtcp-mux",
  "a=rtcp-fb:96 nack pli",
  "a=ssrc-group:FID 1 2",
  "a=ssrc:1 cname:4o",
];
const UNWANTED = [
  "a=extmap-allow-mixed",
  "a=msid-semantic: WMS",
  "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
  "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
  "a=rtcp:9 IN IP4 0.0.0.0",
  "a=rtcp-xr:rcvr-rtt=all",
  "a=ssrc:1 msid:- 533b",
];

test("an offer travels without what the gateway does not use", () => {
  const mixed = WANTED.flatMap((line, i) => [line, ...(UNWANTED[i] ? [UNWANTED[i]] : [])]);
  expect(briefly(mixed.join("\r\n") + "\r\n")).toBe(WANTED.join("\n") + "\n");
});
