/** How loud we and the other side are, looked at once per animation frame; and the first of the two steps of barge-in:
 * the assistant is ducked here, within a frame of our own speech, long before the gateway has heard it. */

const QUIET_DB = -90;
const SPEECH_DB = -46;
const ABOVE_FLOOR_DB = 12;
const HEARD_DB = -52;
const ASSISTANT_HANGOVER_MS = 350;
const RESTORE_MS = 400;
const DUCKED = 0.18;
const FLOOR_RISE_DB = 0.05;

export interface Levels {
  /** dBFS of the last animation frame. */
  readonly local: number;
  readonly remote: number;
  readonly ducked: boolean;
}

let warmed: AudioContext | null = null;

/** The first AudioContext of a page costs tens of milliseconds: made before the tap, it costs the tap none. */
export function warmUp(): void {
  warmed ??= new AudioContext();
}

function freshContext(): AudioContext {
  const context = warmed ?? new AudioContext();
  warmed = null;
  return context;
}

export class Ears {
  levels: Levels = { local: QUIET_DB, remote: QUIET_DB, ducked: false };
  /** Called once, with performance.now(), when the other side is first audible. */
  onFirstSound: ((at: number) => void) | null = null;
  /** Only the assistant is ducked, never a person. */
  mayDuck = false;
  private readonly context = freshContext();
  private local: AnalyserNode | null = null;
  private remote: AnalyserNode | null = null;
  private readonly sources: MediaStreamAudioSourceNode[] = [];
  private floor = -60;
  private remoteHeardAt = -Infinity;
  private spokeAt = -Infinity;
  private running = true;

  constructor(private readonly player: HTMLMediaElement) {
    void this.context.resume().catch(() => undefined);
    const look = () => {
      if (!this.running) return;
      this.look(performance.now());
      requestAnimationFrame(look);
    };
    look();
  }

  hearLocal(stream: MediaStream): void {
    this.local = this.analyse(stream);
  }

  hearRemote(stream: MediaStream): void {
    this.remote = this.analyse(stream);
  }

  close(): void {
    this.running = false;
    this.player.volume = 1;
    void this.context.close().catch(() => undefined);
  }

  private analyse(stream: MediaStream): AnalyserNode | null {
    if (!stream.getAudioTracks().length) return null;
    try {
      const analyser = this.context.createAnalyser();
      analyser.fftSize = 1024; // 21 ms at 48 kHz: a little more than one frame of a 60 Hz screen
      const source = this.context.createMediaStreamSource(new MediaStream(stream.getAudioTracks()));
      source.connect(analyser);
      this.sources.push(source); // Chromium collects a source nobody holds
      return analyser;
    } catch {
      return null; // too many contexts, or sample rates that do not fit: the call goes on without levels and duck
    }
  }

  private look(now: number): void {
    const local = decibels(this.local);
    const remote = decibels(this.remote);
    if (remote > HEARD_DB) this.heard(now);
    const speech = this.isSpeech(local);
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
  private isSpeech(local: number): boolean {
    this.floor = local < this.floor ? local : Math.min(local, this.floor + FLOOR_RISE_DB);
    return local > SPEECH_DB && local > this.floor + ABOVE_FLOOR_DB;
  }

  duck(on: boolean): void {
    if (on === this.levels.ducked) return;
    this.player.volume = on ? DUCKED : 1;
    this.levels = { ...this.levels, ducked: on };
  }
}

const samples = new Float32Array(1024);

function decibels(analyser: AnalyserNode | null): number {
  if (!analyser) return QUIET_DB;
  analyser.getFloatTimeDomainData(samples);
  let power = 0;
  for (const one of samples) power += one * one;
  return Math.max(QUIET_DB, 10 * Math.log10(power / samples.length + 1e-12));
}
