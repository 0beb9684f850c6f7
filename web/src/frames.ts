/** The microphone's sound sooner than an AudioContext has it: Chromium hands out the frames of a track, 10 ms each, as they come.
 * Fetched when there is a call: the first load has no room for it. */

declare const MediaStreamTrackProcessor:
  | (new (init: { track: MediaStreamTrack }) => { readonly readable: ReadableStream<AudioData> })
  | undefined;

interface Listener {
  readonly running: boolean;
  readonly local: { readonly stream: MediaStream } | null;
  near: number | undefined;
  look(now: number): void;
}

/** Tells `ears` the dBFS of the last two frames while this is her microphone; after that the analyser is all there is. */
export async function frames(ears: Listener, stream: MediaStream): Promise<void> {
  const track = stream.getAudioTracks()[0];
  if (!track || typeof MediaStreamTrackProcessor === "undefined") return;
  const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
  let before = 0;
  for (let next = await reader.read(); !next.done && ears.running && ears.local?.stream === stream; next = await reader.read()) {
    const power = powerOf(next.value);
    ears.near = Math.max(-90, 10 * Math.log10((before + power) / 2 + 1e-12));
    ears.look(performance.now());
    before = power;
  }
  ears.near = undefined;
  return reader.cancel();
}

function powerOf(frame: AudioData): number {
  const plane = new Float32Array(frame.numberOfFrames);
  frame.copyTo(plane, { planeIndex: 0, format: "f32-planar" });
  frame.close();
  let power = 0;
  for (const one of plane) power += one * one;
  return power / plane.length;
}
