/** The other side's sound: played, listened to, ducked while she speaks over the assistant. */

import { signal } from "@preact/signals";
import { Ears, type Levels, prepare } from "./levels";

export class Sound {
  /** What the other side sends, for the picture. */
  readonly stream = signal<MediaStream | null>(null);
  /** The browser wants a tap before it plays sound (after a reload). */
  readonly silenced = signal(false);
  private readonly player = new Audio();
  private ears: Ears | null = null;

  constructor() {
    // Nobody listens for her speech in a hidden page: the assistant must not stay ducked there.
    document.addEventListener("visibilitychange", () => document.hidden && this.ears?.duck(false));
  }

  get levels(): Levels | null {
    return this.ears?.levels ?? null;
  }

  /** Before the tap: the player and the ears wait at what the other side will send, so that the tap only plays it. */
  prepare(stream: MediaStream): void {
    if (this.ears) return;
    this.player.srcObject = stream;
    prepare(stream);
  }

  /** A call begins; `heard` is told when the other side is first audible. */
  open(heard: (at: number) => void): void {
    this.ears?.close();
    this.ears = new Ears(this.player);
    this.ears.onFirstSound = heard;
  }

  hearOurselves(stream: MediaStream): void {
    this.ears?.hearLocal(stream);
  }

  play(stream: MediaStream): void {
    this.stream.value = stream;
    if (this.player.srcObject !== stream) this.player.srcObject = stream;
    this.ears?.hearRemote(stream);
    this.resume();
  }

  /** Also after a tap, when the browser had refused. */
  resume(): void {
    this.player.play().then(
      () => (this.silenced.value = false),
      (error: unknown) => (this.silenced.value = (error as Error).name === "NotAllowedError"),
    );
  }

  /** Only the assistant is ducked, never a person. */
  mayDuck(may: boolean): void {
    if (this.ears) this.ears.mayDuck = may;
  }

  close(): void {
    this.ears?.close();
    this.ears = null;
    this.stream.value = null;
    this.player.srcObject = null;
  }
}
