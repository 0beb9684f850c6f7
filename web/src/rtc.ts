/** One RTCPeerConnection to the gateway (no other file touches one).
 *
 * Audio and video are negotiated sendrecv from the start and filled by replaceTrack, so nothing is renegotiated at the
 * tap, at takeover or at hand-back. We always offer; the gateway's candidates are in its answer; ours trickle. */

import type { Connection } from "./connection";
import { makeNonce } from "./nonce";
import type { IceServer } from "./protocol.gen";
import { MAX_CANDIDATES } from "./protocol.gen";

export type PeerState = "new" | "connecting" | "connected" | "disconnected" | "failed" | "closed";

export class Peer {
  readonly name = `peer-${makeNonce()}`;
  /** What the other side sends: one audio and one video track, there from the start, silent until they are filled. */
  readonly remote: MediaStream;
  /** performance.now() of each step reached: offer, answer, ice, dtls. */
  readonly reached: Record<string, number> = {};
  private readonly inner: RTCPeerConnection;
  private readonly audio: RTCRtpTransceiver;
  private readonly video: RTCRtpTransceiver;
  /** The gateway has been told of it. */
  offered = false;
  private trickled = 0;
  private early: RTCIceCandidate[] = [];

  constructor(
    private readonly connection: Connection,
    iceServers: readonly IceServer[],
    private readonly changed: (state: PeerState) => void,
  ) {
    this.inner = new RTCPeerConnection({ iceServers: iceServers.map(asRtc), bundlePolicy: "max-bundle" });
    this.audio = this.inner.addTransceiver("audio", { direction: "sendrecv" });
    this.video = this.inner.addTransceiver("video", { direction: "sendrecv" });
    only(this.audio, "audio", /opus|telephone/);
    only(this.video, "video", /VP8|rtx/);
    this.remote = new MediaStream([this.audio.receiver.track, this.video.receiver.track]);
    this.inner.onicecandidate = ({ candidate }) => candidate?.candidate && this.trickle(candidate);
    this.inner.oniceconnectionstatechange = () => this.iceChanged();
    this.inner.onconnectionstatechange = () => this.stateChanged();
  }

  get state(): PeerState {
    return this.inner.connectionState;
  }

  /** Sends the offer; gathering goes on by itself. */
  async offer(): Promise<void> {
    await this.inner.setLocalDescription();
    const sdp = this.inner.localDescription?.sdp ?? "";
    this.mark("offer");
    this.connection.send({ type: "peer.offer", peer: this.name, sdp: briefly(sdp) });
    this.offered = true;
    this.early.splice(0).forEach((one) => this.trickle(one));
  }

  async answered(sdp: string): Promise<void> {
    if (this.inner.signalingState !== "have-local-offer") return;
    await this.inner.setRemoteDescription({ type: "answer", sdp });
    this.mark("answer");
  }

  async fill(stream: MediaStream): Promise<void> {
    await Promise.all([
      this.audio.sender.replaceTrack(stream.getAudioTracks()[0] ?? null),
      this.video.sender.replaceTrack(stream.getVideoTracks()[0] ?? null),
    ]);
  }

  /** Has any sound of the other side arrived? Cheap enough to ask every few milliseconds, unlike `stats`. */
  get heard(): boolean {
    return this.audio.receiver.getSynchronizationSources().length > 0;
  }

  stats(): Promise<RTCStatsReport> {
    return this.inner.getStats();
  }

  /** `tell`: the gateway does not know yet. */
  close(tell = true): void {
    if (tell) this.connection.send({ type: "peer.close", peer: this.name });
    this.inner.onconnectionstatechange = null;
    this.inner.oniceconnectionstatechange = null;
    this.inner.close();
  }

  private trickle(candidate: RTCIceCandidate): void {
    if (!this.offered) return void this.early.push(candidate);
    if (this.trickled++ >= MAX_CANDIDATES) return;
    this.connection.send({
      type: "candidate.add",
      peer: this.name,
      candidate: candidate.candidate,
      mid: candidate.sdpMid,
      line: candidate.sdpMLineIndex,
    });
  }

  private iceChanged(): void {
    const state = this.inner.iceConnectionState;
    if (state === "connected" || state === "completed") this.mark("ice");
    if (state === "disconnected" || state === "failed") this.changed(state);
  }

  private stateChanged(): void {
    if (this.state === "connected") this.mark("dtls");
    this.changed(this.state);
  }

  private mark(step: string): void {
    this.reached[step] ??= performance.now();
  }
}

/** Offers what the gateway takes (signaling/sdp.py) and no more: a browser's whole list is five packets, and a lost one
 * costs a round trip. */
function only(transceiver: RTCRtpTransceiver, kind: string, wanted: RegExp): void {
  const codecs = globalThis.RTCRtpReceiver?.getCapabilities?.(kind)?.codecs.filter((codec) => wanted.test(codec.mimeType));
  if (codecs?.length) transceiver.setCodecPreferences?.(codecs);
}

/** Without what the gateway (aiortc) takes no notice of: a third of it, and with it the third of three TCP segments. */
const UNUSED =
  /^a=(?:extmap:\d+ (?!.*(?:ssrc-audio-level|sdes:mid|abs-send-time)$)|extmap-allow|msid-semantic|ssrc:\d+ msid|rtcp:|rtcp-xr).*\r?\n|\r/gm;
export const briefly = (sdp: string): string => sdp.replace(UNUSED, "");

const asRtc = (server: IceServer): RTCIceServer => ({
  urls: [...server.urls],
  ...(server.username ? { username: server.username } : {}),
  ...(server.credential ? { credential: server.credential } : {}),
});

/** What the browser counts for a leg, flattened for `call.report`: loss and jitter as the receiver sees them. */
export async function mediaStats(peer: Peer): Promise<Record<string, number>> {
  const out: Record<string, number> = {};
  const put = (key: string, value: unknown) => typeof value === "number" && Number.isFinite(value) && (out[key] = value);
  (await peer.stats()).forEach((one: Record<string, unknown>) => {
    const kind = String(one["kind"] ?? "");
    if (one["type"] === "inbound-rtp") {
      put(`${kind}_received`, one["packetsReceived"]);
      put(`${kind}_lost`, one["packetsLost"]);
      put(`${kind}_jitter_ms`, Number(one["jitter"]) * 1000);
      if (kind === "video") put("frames_decoded", one["framesDecoded"]);
      if (kind === "audio") put("audio_energy", one["totalAudioEnergy"]);
    } else if (one["type"] === "remote-inbound-rtp") {
      put(`${kind}_rtt_ms`, Number(one["roundTripTime"]) * 1000);
      put(`${kind}_loss_sent`, one["fractionLost"]);
    }
  });
  return out;
}
