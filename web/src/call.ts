/** This page's part in a call: tap, join, survive the network, hang up. One at a time.
 *
 *     idle --start/takeOver--> opening --ack--> running --call ended--> ended
 *                                 \--trouble, refused--> ended         running --network, reload--> running (new peer)
 */

import { signal } from "@preact/signals";
import { RefusedError } from "./connection";
import { Devices, stopTracks } from "./devices";
import type { PlainKey } from "./i18n";
import { IDLE, type LineState } from "./line-state";
import { MediaTrouble, type Opened, openDevices, whyNoCalls } from "./microphone";
import { makeNonce } from "./nonce";
import { textBody } from "./outbox";
import type { Page } from "./page";
import type { Ack, CallView, ErrorCode, MediaKind, ServerMessage } from "./protocol.gen";
import { Peers } from "./peers";
import { mediaStats, type Peer, type PeerState } from "./rtc";
import { Sound } from "./sound";
import { Standby } from "./standby";
import { Telling } from "./telling";
import { Joining } from "./waterfall";

/** How a peer is put to use: the tap, a takeover, or going on. */
type Ask = (peer: string) => Parameters<Page["ask"]>[0];
/** Is what a tap asked for still wanted? False for good once it was hung up or failed, also when she has tapped again. */
type Wanted = () => boolean;

const REMEMBERED = "nestcall.call";
const DISCONNECTED_MS = 1_500;
const ENDED_MS = 2_000;
const FLOWING_MS = 400;
const RESUME_TRIES = 7;
/** A call with no link at all is given up after this; the gateway may be starting again. */
const OFFLINE_MS = 60_000;

export class CallLine {
  readonly state = signal<LineState>(IDLE);
  readonly devices = new Devices((stream) => {
    void this.peer?.fill(stream);
    this.sound.hearOurselves(stream);
  });
  readonly sound = new Sound();
  /** How the line is, and what the gateway is told of it. */
  readonly telling: Telling;
  joining: Joining | null = null;
  private peer: Peer | null = null;
  private readonly peers: Peers;
  private readonly standby: Standby;
  private resuming = false;
  /** Counts what was begun and what was ended. */
  private turns = 0;
  private handingBack = false;
  /** An advisor, while the call is hers or about to be: the state she holds. */
  private holding: "taking_over" | "with_advisor" | null = null;
  private watch: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly page: Page,
    private readonly style: "browser" | "phone" = "browser",
  ) {
    this.peers = new Peers(page.connection, (peer, state) => this.peerChanged(peer, state));
    const busy = () => this.state.value.phase === "opening" || this.inCall;
    this.standby = new Standby(page, this.peers, busy, (peer) => this.sound.prepare(peer.remote));
    this.telling = new Telling(page.connection, () => this.state.value.call, () => this.stats());
    page.connection.onMessage((message) => this.hear(message));
    addEventListener("online", () => this.inCall && void this.resume(true));
  }

  get inCall(): boolean {
    return this.state.value.phase === "running";
  }

  get standbyState(): string {
    return this.standby.state;
  }

  stats(): Promise<Record<string, number>> {
    return this.peer ? mediaStats(this.peer) : Promise.resolve({});
  }

  /** The tap. */
  start(conversation: string, media: MediaKind): Promise<void> {
    const { style } = this;
    return this.join(conversation, media, (peer) => ({ type: "call.start", nonce: makeNonce(), conversation, media, peer, style }));
  }

  takeOver(call: string, conversation: string, media: MediaKind): Promise<void> {
    return this.join(conversation, media, (peer) => ({ type: "call.take_over", nonce: makeNonce(), call, peer }));
  }

  async hangUp(): Promise<void> {
    const { call } = this.state.value;
    this.end(this.page.me.value?.role === "customer" ? "customer_left" : "advisor_left");
    await this.leave(call);
  }

  /** Our leg is given up; the call goes on without us. */
  async handBack(): Promise<void> {
    const { call } = this.state.value;
    if (!call) return;
    this.handingBack = true;
    try {
      await this.page.ask({ type: "call.hand_back", nonce: makeNonce(), call });
    } catch (error) {
      this.handingBack = false;
      throw error;
    }
  }

  /** What she types or taps. Where the call does not take it, it goes as a message, under the same nonce: once, and never lost. */
  async say(text: string): Promise<void> {
    const { call, conversation } = this.state.value;
    const { me, outbox } = this.page;
    const nonce = makeNonce();
    try {
      if (call) return void (await this.page.ask({ type: "call.say", nonce, call, text }));
    } catch {
      // No link, or the call has just ended: the outbox has the patience.
    }
    if (me.value && conversation) await outbox.send(me.value.id, conversation, textBody(text), nonce);
  }

  press(digit: string): void {
    const { call } = this.state.value;
    if (call) void this.page.ask({ type: "call.press", nonce: makeNonce(), call, digit }).catch(() => undefined);
  }

  dismiss(): void {
    if (this.state.value.phase === "ended") this.state.value = IDLE;
  }

  // ------------------------------------------------------------ joining

  private async join(conversation: string, media: MediaKind, ask: Ask): Promise<void> {
    if (this.inCall || this.state.value.phase === "opening") return;
    const missing = whyNoCalls() ?? (this.page.link.value === "online" ? null : "offline");
    this.state.value = { ...IDLE, phase: "opening", conversation, media };
    if (missing) return this.fail(`media.${missing}`);
    if (this.page.connection.ready?.capabilities["voice"] === false) return this.fail("error.unavailable");
    const wanted = this.begin();
    const spare = (this.peer = this.standby.take());
    const joining = new Joining(spare?.state === "connected" ? "standby" : "trickle");
    this.joining = joining;
    const listen = () => this.sound.open((at) => this.telling.heard(joining, at));
    try {
      // With permission given before, the message leaves first: the microphone and our own sound open while it travels.
      const ringing = this.standby.microphoneAllowed ? this.ring(wanted, spare, ask, listen) : null;
      if (!ringing) listen();
      ringing?.catch(() => undefined); // both may fail before anybody waits for them
      const opened = openDevices(media).then((opening) => this.opened(wanted, opening));
      opened.catch(() => undefined);
      if (!ringing) await opened;
      await Promise.all([ringing ?? this.ring(wanted, spare, ask), opened]);
    } catch (error) {
      this.refused(wanted, error);
    }
  }

  private begin(): Wanted {
    const turn = ++this.turns;
    return () => turn === this.turns;
  }

  /** `sent` runs between the message and its answer. */
  private async ring(wanted: Wanted, spare: Peer | null, ask: Ask, sent: () => void = () => undefined): Promise<void> {
    if (!wanted()) return; // `end` has forgotten the spare
    const peer = spare ?? (await this.peers.offered());
    if (!wanted()) return this.peers.forget(peer);
    const answer = this.page.ask(ask(peer.name));
    sent();
    this.use(peer);
    try {
      this.accepted(wanted, (await answer) as Ack);
    } catch (error) {
      const gone = error instanceof RefusedError && error.code === "no_such_peer";
      if (!gone || !spare) throw error;
      await this.ring(wanted, null, ask); // the standby was shed between two frames
    }
  }

  private accepted(wanted: Wanted, ack: Ack): void {
    if (!wanted() || !ack.call) return void this.leave(ack.call ?? null); // hung up meanwhile
    this.joining?.mark("ack");
    sessionStorage.setItem(REMEMBERED, ack.call);
    this.set({ phase: "running", call: ack.call, since: Date.now() });
    this.telling.start();
    this.stands(this.page.calls.value.get(ack.call) ?? null);
  }

  private opened(wanted: Wanted, opened: Opened): void {
    if (!wanted()) return stopTracks(opened.stream);
    this.joining?.mark("gum");
    this.devices.use(opened);
  }

  private use(peer: Peer): void {
    const old = this.peer;
    this.peer = peer;
    if (old && old !== peer) this.peers.forget(old);
    this.joining?.follow(peer);
    if (this.devices.stream.value) void peer.fill(this.devices.stream.value);
    this.sound.play(peer.remote);
  }

  // ------------------------------------------------------------ staying

  private hear(message: ServerMessage): void {
    switch (message.type) {
      case "peer.answered":
        return this.answered(message.peer, message.sdp);
      case "peer.closed":
        return this.peerClosed(message.peer, message.reason);
      case "call.changed":
        return this.stands(message.call);
      case "error":
        return message.re === "peer.offer" ? this.notTaken(message.peer ?? "", message.code) : undefined;
      case "ready":
        message.calls.forEach((call) => this.stands(call)); // it may have changed hands meanwhile
        return this.inCall ? void this.resume(true) : this.pickUp(message.calls);
      default:
    }
  }

  private answered(name: string, sdp: string): void {
    const peer = this.peers.get(name);
    peer?.answered(sdp).catch(() => (peer === this.peer ? this.fail("error.bad_sdp") : this.peers.forget(peer)));
  }

  /** Our offer was refused: no room, or not understood. */
  private notTaken(name: string, code: ErrorCode): void {
    if (name === this.standby.name) this.standby.shed();
    else if (name === this.peer?.name) this.fail(`error.${code}`);
  }

  /** The gateway says how the call stands. */
  private stands(call: CallView | null): void {
    if (!call || call.call !== this.state.value.call) return;
    const mine = call.advisor === this.page.me.value?.id;
    if (mine && (call.state === "taking_over" || call.state === "with_advisor")) this.holding = call.state;
    this.sound.mayDuck(call.state === "with_assistant" && !this.holding);
    if (call.state === "ended") this.end(call.reason ?? "failed");
    else if (this.holding && !mine) this.end(this.handingBack ? "handed_back" : this.holding === "with_advisor" ? "lost" : "never_connected");
  }

  /** After a reload: this tab had a call, and it is still running. */
  private pickUp(calls: readonly CallView[]): void {
    const call = calls.find((one) => one.call === sessionStorage.getItem(REMEMBERED));
    if (!call || this.state.value.phase !== "idle") return;
    const { conversation, media } = call;
    const since = Date.parse(call.started_at);
    this.set({ ...IDLE, phase: "running", call: call.call, conversation, media, reconnecting: true, since });
    this.sound.open(() => undefined);
    const wanted = this.begin();
    openDevices(call.media).then(
      (opened) => (this.opened(wanted, opened), wanted() && (this.telling.start(), void this.resume())),
      (error: unknown) => this.refused(wanted, error),
    );
  }

  /** On a new peer connection, under the same call. `mayFlow`: media may never have stopped; then nobody is told that the line is back. */
  private async resume(mayFlow = false): Promise<void> {
    const { call } = this.state.value;
    if (this.resuming || !call) return;
    this.resuming = true;
    try {
      if (mayFlow && (await this.flowing())) return;
      this.set({ reconnecting: true });
      const end = Date.now() + OFFLINE_MS;
      for (let tries = 0; this.inCall && tries < RESUME_TRIES && Date.now() < end; ) {
        if (this.page.link.value === "online" && (await this.resumed(call, tries++))) return;
        await pause(400 * 1.6 ** tries);
      }
      if (this.inCall) this.end("lost");
    } finally {
      this.resuming = false;
    }
  }

  /** One try, on a link that is up; the old connection plays on until the new one is taken. */
  private async resumed(call: string, tries: number): Promise<boolean> {
    const peer = await this.peers.offered();
    const { turns } = this;
    try {
      await this.page.ask({ type: "call.resume", nonce: makeNonce(), call, peer: peer.name });
    } catch (error) {
      this.peers.forget(peer);
      if (turns !== this.turns) return true; // hung up meanwhile
      // A gateway that has just started may not have its calls again yet.
      if (error instanceof RefusedError && error.code === "not_found" && tries > 2) this.end("lost");
      return false;
    }
    if (turns === this.turns) this.use(peer);
    else this.peers.forget(peer);
    return true;
  }

  private async flowing(): Promise<boolean> {
    const before = (await this.stats())["audio_received"] ?? 0;
    await pause(FLOWING_MS);
    return this.peer?.state === "connected" && ((await this.stats())["audio_received"] ?? 0) > before;
  }

  private peerChanged(peer: Peer, state: PeerState): void {
    if (peer !== this.peer) return state === "failed" && peer.name === this.standby.name ? this.standby.shed() : undefined;
    clearTimeout(this.watch);
    if (state === "connected") this.set({ reconnecting: false });
    else if (state === "failed" && this.inCall) void this.resume();
    else if (state === "disconnected") this.watch = setTimeout(() => this.inCall && void this.resume(), DISCONNECTED_MS);
  }

  private peerClosed(name: string, reason: string): void {
    if (name === this.standby.name) return this.standby.shed();
    const peer = this.peers.get(name);
    if (!peer || peer !== this.peer || !this.inCall) return;
    if (reason === "failed") void this.resume();
    // The call's own word should come at once; where it does not, the call is over all the same.
    else if (reason === "ended") setTimeout(() => peer === this.peer && this.end("lost"), ENDED_MS);
  }

  // ------------------------------------------------------------ ending

  private refused(wanted: Wanted, error: unknown): void {
    if (!wanted()) return; // hung up meanwhile
    if (error instanceof MediaTrouble) this.fail(error.key);
    else if (error instanceof RefusedError) this.fail(`error.${error.code}`);
    else this.fail("media.offline");
  }

  private fail(trouble: PlainKey): void {
    void this.leave(this.state.value.call);
    this.end(null);
    this.set({ trouble });
  }

  private async leave(call: string | null): Promise<void> {
    if (call) await this.page.ask({ type: "call.leave", nonce: makeNonce(), call }).catch(() => undefined);
  }

  private end(reason: string | null): void {
    this.turns++;
    sessionStorage.removeItem(REMEMBERED);
    clearTimeout(this.watch);
    this.telling.stop();
    this.joining?.stop();
    this.peers.forget(this.peer);
    this.peer = null;
    this.holding = null;
    this.handingBack = false;
    this.devices.stop();
    this.sound.close();
    this.set({ phase: "ended", reason, reconnecting: false, since: null });
    this.standby.wanted();
  }

  private set(change: Partial<LineState>): void {
    this.state.value = { ...this.state.value, ...change };
    this.page.onTheLine = this.inCall;
  }
}

const pause = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));
