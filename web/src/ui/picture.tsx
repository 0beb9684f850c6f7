/** A video that shows itself only while frames really arrive, and counts them. */

import type { Signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";

/** The assistant's still picture is repeated every two seconds. */
const STALE_MS = 5_000;

interface Props {
  readonly stream: Signal<MediaStream | null>;
  readonly label: string;
  readonly class: string;
}

/** Frames drawn on this page, by class of picture: read by tests and benchmarks. */
export const framesShown: Record<string, number> = {};

export function Picture({ stream, label, class: name }: Props) {
  const video = useRef<HTMLVideoElement>(null);
  const [live, setLive] = useState(false);
  const shown = stream.value;
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.srcObject = shown && new MediaStream(shown.getVideoTracks());
    element.play().catch(() => undefined); // a muted video may always play; a stream without frames just waits
    return watchFrames(element, name, setLive);
  }, [shown]);
  return <video ref={video} class={`${name} ${live ? "live" : ""}`} aria-label={label} aria-hidden={!live} playsInline muted />;
}

function watchFrames(element: HTMLVideoElement, name: string, told: (live: boolean) => void): () => void {
  let last = -Infinity;
  let stopped = false;
  const frame = () => {
    if (stopped) return;
    last = performance.now();
    framesShown[name] = (framesShown[name] ?? 0) + 1;
    element.requestVideoFrameCallback(frame);
  };
  if ("requestVideoFrameCallback" in element) element.requestVideoFrameCallback(frame);
  else (element as HTMLVideoElement).ontimeupdate = () => (last = performance.now());
  const clock = setInterval(() => told(performance.now() - last < STALE_MS), 250);
  return () => {
    stopped = true;
    clearInterval(clock);
  };
}
