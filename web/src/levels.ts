/** How loud we and the other side are, looked at more than once per animation frame; and the first of the two steps of barge-in:
 * the assistant is ducked here, within a frame of our own speech, long before the gateway has heard it. */

const QUIET_DB = -90;
const SPEECH_DB = -46;
const ABOVE_FLOOR_DB = 12;
const HEARD_DB = -52;
const ASSISTANT_HANGOVER_MS = 350;
const RESTORE_MS = 400;
const DUCKED = 0.18;
const FLOOR_RISE_DB_S = 3;
const LOOK_MS = 5;
/** 21 ms at 48 kHz. */
const WINDOW = 1024;
const FIRST_SOUND_MS = 8;

export interface Levels {
  /** dBFS of the last 21 ms. */
  readonly local: number;
  readonly remote: number;
  readonly ducked: boolean;
}

interface Analysed {
  readonly stream: MediaStream;
  readonly analyser: AnalyserNode;
  /** Chromium collects a source nobody holds. */
  readonly source: MediaStreamAudioSourceNode;
}

let warm: AudioContext | null = null;
let awaited: Analysed | null = null;

/** A page's AudioContext and its first source cost tens of milliseconds: made before the tap, they cost the tap none. */
export function prepare(remote: MediaStream): void {
  warm ??= new AudioContext();
  awaited = analyse(warm, remote);
}

function analyse(context: AudioContext, stream: MediaStream): Analysed | null {
  if (!stream.getAudioTracks().length) return null;
  try {
    const analyser = context.createAnalyser();
    analyser.fftSize = WINDOW;
    const source = context.createMediaStreamSource(new MediaStream(stream.getAudioTracks()));
    source.connect(analyser);
    return { stream, analyser, source };
  } catch {
    return null; // too many contexts, or sample rates that do not fit: the call goes on without levels and duck
  }
}

export class Ears {
  levels: Levels = { local: QUIET_DB, remote: QUIET_DB, ducked: false };
  /** Called once, with performance.now(), when the other side is first audible. */
  onFirstSound: ((at: number) => void) | null = null;
  /** Only the assistant is ducked, never a person. */
  mayDuck = false;
  private readonly context = warm ?? new AudioContext();
  local: Analysed | null = null;
  /** dBFS of the microphone by `frames`, where they are quicker than the analyser. */
  near: number | undefined;
  private remote: Analysed | null = awaited;
  private floor = -60;
  private remoteHeardAt = -Infinity;
  private spokeAt = -Infinity;
  private lookedAt = performance.now();
  running = true;

  constructor(private readonly player: HTMLMediaElement) {
    warm = awaited = null;
    void this.context.resume().catch(() => undefined);
    const look = () => {
      if (!this.running) return;
      this.look(performance.now());
      // Animation frames are late while the page draws; in a hidden page they rest, and so do we.
      if (document.hidden) requestAnimationFrame(look);
      else setTimeout(look, LOOK_MS);
    };
    look();
    this.awaitSound();
  }

  hearLocal(stream: MediaStream): void {
    this.local = analyse(this.context, stream);
    void import("./frames").then((it) => it.frames(this, stream)).catch(() => undefined);
  }

  hearRemote(stream: MediaStream): void {
    if (this.remote?.stream !== stream) this.remote = analyse(this.context, stream);
  }

  close(): void {
    this.running = false;
    this.player.volume = 1;
    void this.context.close().catch(() => undefined);
  }

  /** The first sound is not waited for by the frame: while the call's picture is drawn first, frames come late. */
  private awaitSound(): void {
    if (!this.running || this.remoteHeardAt > 0) return;
    const now = performance.now();
    if (decibels(this.remote?.analyser) > HEARD_DB) this.heard(now);
    else setTimeout(() => this.awaitSound(), FIRST_SOUND_MS);
  }

  look(now: number): void {
    const local = this.near ?? decibels(this.local?.analyser);
    const remote = decibels(this.remote?.analyser);
    if (remote > HEARD_DB) this.heard(now);
    const speech = this.isSpeech(local, now);
    if (speech) this.spokeAt = now;
    this.duck(this.mayDuck && now - this.spokeAt < RESTORE_MS && now - this.remoteHeardAt < ASSISTANT_HANGOVER_MS);
    this.levels = { local, remote, ducked: this.levels.ducked };
  }

  private heard(now: number): void {
    this.remoteHeardAt = now;
    this.onFirstSound?.(now);
    this.onFirstSound = null;
  }

  /** Louder than the room: the floor falls at once and rises slowly, so that a steady noise stops counting. */
  private isSpeech(local: number, now: number): boolean {
    const risen = this.floor + (FLOOR_RISE_DB_S * (now - this.lookedAt)) / 1000;
    this.floor = Math.min(local, risen);
    this.lookedAt = now;
    return local > SPEECH_DB && local > this.floor + ABOVE_FLOOR_DB;
  }

  duck(on: boolean): void {
    if (on === this.levels.ducked) return;
    this.player.volume = on ? DUCKED : 1;
    this.levels = { ...this.levels, ducked: on };
  }
}

const samples = new Float32Array(WINDOW);

function decibels(analyser: AnalyserNode | undefined): number {
  if (!analyser) return QUIET_DB;
  analyser.getFloatTimeDomainData(samples);
  let power = 0;
  for (const one of samples) power += one * one;
  return Math.max(QUIET_DB, 10 * Math.log10(power / samples.length + 1e-12));
}
