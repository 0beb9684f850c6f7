/** This page's part in a call: tap, join, survive the network, hang up. One at a time.
 *
 *     idle --start/takeOver--> opening --ack--> running --call ended--> ended
 *                                 \--trouble, refused--> ended         running --network, reload--> running (new peer)
 */

import { signal } from "@preact/signals";
import { RefusedError } from "./connection";
import type { PlainKey } from "./i18n";
import { Ears } from "./levels";
import { MediaTrouble, type Opened, openCamera, openDevices, troubleOf, whyNoCalls } from "./microphone";
import { makeNonce } from "./nonce";
import type { Page } from "./page";
import type { Ack, CallView, MediaKind, ServerMessage } from "./protocol.gen";
import { mediaStats, Peer, type PeerState } from "./rtc";
import { Standby } from "./standby";
import { Joining } from "./waterfall";

export interface LineState {
  readonly phase: "idle" | "opening" | "running" | "ended";
  readonly call: string | null;
  readonly media: MediaKind;
  /** Why there is no call, in words. */
  readonly trouble: PlainKey | null;
  /** What is less than asked for (no camera). */
  readonly notice: PlainKey | null;
  /** Why it ended, as the gateway says. */
  readonly reason: string | null;
  readonly muted: boolean;
  readonly camera: boolean;
  /** The browser wants a tap before it plays sound (after a reload). */
  readonly silenced: boolean;
  readonly reconnecting: boolean;
}

const IDLE: LineState = {
  phase: "idle",
  call: null,
  media: "voice",
  trouble: null,
  notice: null,
  reason: null,
  muted: false,
  camera: false,
  silenced: false,
  reconnecting: false,
};

type Style = "browser" | "phone";
/** How a peer is put to use: the tap, a takeover, or going on. */
type Ask = (peer: string) => Parameters<Page["ask"]>[0];

const REMEMBERED = "nestcall.call";
const DISCONNECTED_MS = 1_500;
const REPORT_EVERY_MS = 5_000;
const RESUME_TRIES = 6;

export class CallLine {
  readonly state = signal<LineState>(IDLE);
  readonly local = signal<MediaStream | null>(null);
  readonly remote = signal<MediaStream | null>(null);
  readonly player = new Audio();
  ears: Ears | null = null;
  joining: Joining | null = null;
  private peer: Peer | null = null;
  private readonly standby: Standby;
  private readonly peers = new Map<string, Peer>();
  private resuming = false;
  /** An advisor, while the call is hers. */
  private holding = false;
  private facing: "user" | "environment" = "user";
  private watch: ReturnType<typeof setTimeout> | undefined;
  private reporting: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly page: Page,
    private readonly style: Style = "browser",
    standby = true,
  ) {
    this.standby = new Standby(page, () => this.makePeer(), standby, () => this.state.value.phase === "opening" || this.inCall);
    page.connection.onMessage((message) => this.hear(message));
    page.connection.onState((state) => state === "waiting" && this.inCall && this.set({ reconnecting: true }));
    addEventListener("online", () => this.inCall && void this.resume());
  }

  get inCall(): boolean {
    return this.state.value.phase === "running";
  }

  get stats(): Promise<Record<string, number>> {
    return this.peer ? mediaStats(this.peer) : Promise.resolve({});
  }

  get standbyState(): string {
    return this.standby.state;
  }

  /** The tap. */
  start(conversation: string, media: MediaKind): Promise<void> {
    const { style } = this;
    return this.join(media, (peer) => ({ type: "call.start", nonce: makeNonce(), conversation, media, peer, style }));
  }

  takeOver(call: Pick<CallView, "call" | "conversation">, media: MediaKind): Promise<void> {
    return this.join(media, (peer) => ({ type: "call.take_over", nonce: makeNonce(), call: call.call, peer }));
  }

  async hangUp(): Promise<void> {
    const { call } = this.state.value;
    this.end("customer_left");
    if (call) await this.page.ask({ type: "call.leave", nonce: makeNonce(), call }).catch(() => undefined);
  }

  /** Our leg is given up; the call goes on without us. */
  async handBack(): Promise<void> {
    const { call } = this.state.value;
    if (call) await this.page.ask({ type: "call.hand_back", nonce: makeNonce(), call });
  }

  say(text: string): Promise<unknown> {
    return this.page.ask({ type: "call.say", nonce: makeNonce(), call: this.state.value.call ?? "", text });
  }

  press(digit: string): void {
    const { call } = this.state.value;
    if (call) void this.page.ask({ type: "call.press", nonce: makeNonce(), call, digit }).catch(() => undefined);
  }

  mute(muted: boolean): void {
    this.local.value?.getAudioTracks().forEach((track) => (track.enabled = !muted));
    this.set({ muted });
  }

  async camera(on: boolean): Promise<void> {
    if (!on) return this.useCamera(null);
    try {
      await this.useCamera(await openCamera(this.facing));
    } catch (error) {
      this.set({ notice: troubleOf(error) === "denied" ? "media.denied.camera" : "media.no_camera" });
    }
  }

  async flip(): Promise<void> {
    this.facing = this.facing === "user" ? "environment" : "user";
    await this.camera(true);
  }

  /** After a tap: sound may play now. */
  unsilence(): void {
    this.play();
  }

  dismiss(): void {
    if (this.state.value.phase === "ended") this.state.value = IDLE;
  }

  // ------------------------------------------------------------ joining

  private async join(media: MediaKind, ask: Ask): Promise<void> {
    if (this.inCall || this.state.value.phase === "opening") return;
    const missing = whyNoCalls() ?? (this.page.link.value === "online" ? null : "offline");
    this.state.value = { ...IDLE, phase: "opening", media };
    if (missing) return this.fail(`media.${missing}`);
    const spare = this.standby.take();
    this.joining = new Joining(spare?.state === "connected" ? "standby" : "trickle");
    this.prepareEars();
    try {
      const opening = openDevices(media);
      // With permission given before, ringing does not wait for the microphone; otherwise it waits for the answer.
      if (!(await this.standby.microphoneAllowed())) await opening;
      else opening.catch(() => undefined);
      await Promise.all([this.ring(spare, ask), opening.then((opened) => this.opened(opened))]);
    } catch (error) {
      this.refused(error);
    }
  }

  private async ring(spare: Peer | null, ask: Ask): Promise<void> {
    const peer = spare ?? (await this.offered());
    this.use(peer);
    try {
      this.accepted(await this.asked(ask, peer));
    } catch (error) {
      const gone = error instanceof RefusedError && error.code === "no_such_peer";
      if (!gone || !spare) throw error;
      await this.ring(null, ask); // the standby was shed between two frames
    }
  }

  private asked(ask: Ask, peer: Peer): Promise<Ack> {
    return this.page.ask(ask(peer.name)) as Promise<Ack>;
  }

  private accepted(ack: Ack): void {
    this.joining?.mark("ack");
    if (this.state.value.phase !== "opening" || !ack.call) return this.abandon(ack.call ?? null);
    sessionStorage.setItem(REMEMBERED, ack.call);
    this.set({ phase: "running", call: ack.call });
    this.reporting = setInterval(() => void this.report(), REPORT_EVERY_MS);
    this.stands(this.page.calls.value.get(ack.call) ?? null);
  }

  /** Hung up before the gateway had answered. */
  private abandon(call: string | null): void {
    if (call) void this.page.ask({ type: "call.leave", nonce: makeNonce(), call }).catch(() => undefined);
  }

  private async opened({ stream, withoutCamera }: Opened): Promise<void> {
    this.joining?.mark("gum");
    if (this.state.value.phase === "ended") return stop(stream);
    this.local.value = stream;
    this.set({ notice: withoutCamera, camera: stream.getVideoTracks().length > 0 });
    this.ears?.hearLocal(stream);
    await this.peer?.fill(stream);
  }

  private async offered(): Promise<Peer> {
    const peer = this.makePeer();
    await peer.offer();
    return peer;
  }

  private makePeer(): Peer {
    const servers = this.page.ready.value?.ice_servers ?? [];
    const peer: Peer = new Peer(this.page.connection, servers, (state) => this.peerChanged(peer, state));
    this.peers.set(peer.name, peer);
    return peer;
  }

  private use(peer: Peer): void {
    const old = this.peer;
    this.peer = peer;
    if (old && old !== peer) this.forget(old);
    this.remote.value = peer.remote;
    this.player.srcObject = peer.remote;
    this.ears?.hearRemote(peer.remote);
    this.joining?.follow(peer);
    if (this.local.value) void peer.fill(this.local.value);
    this.play();
  }

  private play(): void {
    const played = (): void => this.set({ silenced: false });
    const blocked = (error: unknown): void => this.set({ silenced: (error as Error).name === "NotAllowedError" });
    this.player.play().then(played, blocked);
  }

  private prepareEars(): void {
    this.ears?.close();
    this.ears = new Ears(this.player);
    const { joining } = this;
    this.ears.onFirstSound = (at) => {
      joining?.mark("first_sound", at);
      this.reportWaterfall();
    };
  }

  // ------------------------------------------------------------ staying

  private hear(message: ServerMessage): void {
    switch (message.type) {
      case "peer.answered":
        void this.peers.get(message.peer)?.answered(message.sdp).catch(() => this.forget(this.peers.get(message.peer)));
        return;
      case "peer.closed":
        return this.peerClosed(message.peer, message.reason);
      case "call.changed":
        return this.stands(message.call);
      case "error":
        if (message.peer && message.peer === this.standby.name) this.standby.shed();
        return;
      case "ready":
        this.peers.forEach((peer) => peer !== this.peer && this.forget(peer)); // they belonged to the old connection
        if (this.inCall) void this.resume();
        else this.pickUp(message.calls);
        return;
      default:
    }
  }

  /** After a reload: this tab had a call, and it is still running. */
  private pickUp(calls: readonly CallView[]): void {
    const call = calls.find((one) => one.call === sessionStorage.getItem(REMEMBERED));
    if (!call || this.state.value.phase !== "idle") return;
    this.state.value = { ...IDLE, phase: "running", call: call.call, media: call.media, reconnecting: true };
    this.prepareEars();
    openDevices(call.media).then(
      (opened) => void this.opened(opened).then(() => this.resume()),
      (error: unknown) => this.refused(error),
    );
  }

  private async resume(): Promise<void> {
    const { call } = this.state.value;
    if (this.resuming || !call) return;
    this.resuming = true;
    this.set({ reconnecting: true });
    try {
      for (let tries = 0; this.inCall && tries < RESUME_TRIES; tries++) {
        if (await this.resumed(call)) return;
        await new Promise((wake) => setTimeout(wake, 500 * 2 ** tries));
      }
      if (this.inCall && this.page.link.value === "online") this.end("lost");
    } finally {
      this.resuming = false;
    }
  }

  /** One try on a new peer connection; the old one plays on until the new one is taken. */
  private async resumed(call: string): Promise<boolean> {
    if (this.page.link.value !== "online") return false;
    const peer = await this.offered();
    try {
      await this.asked((name) => ({ type: "call.resume", nonce: makeNonce(), call, peer: name }), peer);
    } catch (error) {
      this.forget(peer);
      if (error instanceof RefusedError && (error.code === "not_found" || error.code === "wrong_state")) this.end("lost");
      return false;
    }
    this.use(peer);
    return true;
  }

  private peerChanged(peer: Peer, state: PeerState): void {
    if (peer !== this.peer) return state === "failed" && peer.name === this.standby.name ? this.standby.shed() : undefined;
    clearTimeout(this.watch);
    if (state === "connected") this.set({ reconnecting: false });
    else if (state === "failed") void this.resume();
    else if (state === "disconnected") this.watch = setTimeout(() => void this.resume(), DISCONNECTED_MS);
  }

  private peerClosed(name: string, reason: string): void {
    if (name === this.standby.name) return this.standby.shed();
    const peer = this.peers.get(name);
    if (peer && peer === this.peer && this.inCall && reason === "failed") void this.resume();
  }

  // ------------------------------------------------------------ ending

  /** The gateway says how the call stands. */
  private stands(call: CallView | null): void {
    if (!call || call.call !== this.state.value.call) return;
    const mine = call.advisor === this.page.me.value?.id;
    if (this.ears) this.ears.mayDuck = call.state === "with_assistant" && !this.holding;
    this.holding ||= call.state === "with_advisor" && mine;
    if (call.state === "ended") this.end(call.reason ?? "failed");
    else if (this.holding && !mine && call.state === "with_assistant") this.end("handed_back");
  }

  private refused(error: unknown): void {
    if (error instanceof MediaTrouble) this.fail(error.key);
    else if (error instanceof RefusedError) this.fail(`error.${error.code}`);
    else this.fail("media.offline");
  }

  private fail(trouble: PlainKey): void {
    const { call } = this.state.value;
    this.abandon(call);
    this.end(null);
    this.set({ trouble });
  }

  private end(reason: string | null): void {
    sessionStorage.removeItem(REMEMBERED);
    this.holding = false;
    clearTimeout(this.watch);
    clearInterval(this.reporting);
    this.joining?.stop();
    this.forget(this.peer);
    this.peer = null;
    stop(this.local.value);
    this.local.value = null;
    this.remote.value = null;
    this.player.srcObject = null;
    this.ears?.close();
    this.ears = null;
    this.set({ phase: "ended", reason, reconnecting: false });
    this.standby.wanted();
  }

  private forget(peer: Peer | null | undefined): void {
    if (!peer) return;
    this.peers.delete(peer.name);
    peer.close();
  }

  private async useCamera(track: MediaStreamTrack | null): Promise<void> {
    const old = this.local.value;
    if (!old) return stop(track ? new MediaStream([track]) : null);
    old.getVideoTracks().forEach((one) => one.stop());
    const next = new MediaStream([...old.getAudioTracks(), ...(track ? [track] : [])]);
    this.local.value = next;
    this.set({ camera: track !== null, notice: null });
    await this.peer?.fill(next);
  }

  private async report(): Promise<void> {
    const { call } = this.state.value;
    if (call && this.peer) this.page.connection.send({ type: "call.report", call, stats: await mediaStats(this.peer) });
  }

  private reportWaterfall(): void {
    const { call } = this.state.value;
    const waterfall = this.joining?.waterfall;
    if (!waterfall) return;
    if (call) this.page.connection.send({ type: "call.report", call, waterfall });
    else setTimeout(() => this.inCall && this.reportWaterfall(), 200); // audible before the ack: told after it
  }

  private set(change: Partial<LineState>): void {
    this.state.value = { ...this.state.value, ...change };
  }
}

const stop = (stream: MediaStream | null): void => stream?.getTracks().forEach((track) => track.stop());
