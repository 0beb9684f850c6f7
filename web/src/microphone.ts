/** Opening microphone and camera, with each way it can fail as a worded trouble. Asked for on a tap, never before. */

import type { PlainKey } from "./i18n";
import type { MediaKind } from "./protocol.gen";

export type Trouble = "denied" | "none" | "in_use" | "insecure" | "no_webrtc" | "failed" | "offline";

export class MediaTrouble extends Error {
  constructor(readonly trouble: Trouble) {
    super(trouble);
  }
  get key(): PlainKey {
    return `media.${this.trouble}`;
  }
}

const BY_NAME: Readonly<Record<string, Trouble>> = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "none",
  OverconstrainedError: "none",
  NotReadableError: "in_use",
  AbortError: "in_use",
};

export const troubleOf = (error: unknown): Trouble =>
  error instanceof MediaTrouble ? error.trouble : (BY_NAME[(error as Error | null)?.name ?? ""] ?? "failed");

const VOICE: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const CAMERA: MediaTrackConstraints = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 24, max: 30 } };

/** Before anything is asked of the browser: can this page call at all? */
export function whyNoCalls(): Trouble | null {
  if (typeof RTCPeerConnection === "undefined") return "no_webrtc";
  return whyNoMicrophone();
}

export function whyNoMicrophone(): Trouble | null {
  if (navigator.mediaDevices) return null;
  return isSecureContext ? "no_webrtc" : "insecure";
}

export async function openMicrophone(): Promise<MediaStream> {
  const missing = whyNoMicrophone();
  if (missing) throw new MediaTrouble(missing);
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: VOICE });
  } catch (error) {
    throw new MediaTrouble(troubleOf(error));
  }
}

export interface Opened {
  readonly stream: MediaStream;
  /** Video was wanted and is not there: the call goes on as voice, and says why. */
  readonly withoutCamera: PlainKey | null;
}

/** Microphone, and camera for a video call. A missing camera makes it a voice call, a missing microphone no call. */
export async function openDevices(media: MediaKind): Promise<Opened> {
  if (media === "voice") return { stream: await openMicrophone(), withoutCamera: null };
  const missing = whyNoMicrophone();
  if (missing) throw new MediaTrouble(missing);
  try {
    return { stream: await navigator.mediaDevices.getUserMedia({ audio: VOICE, video: CAMERA }), withoutCamera: null };
  } catch (error) {
    const stream = await openMicrophone();
    return { stream, withoutCamera: troubleOf(error) === "denied" ? "media.denied.camera" : "media.no_camera" };
  }
}

export async function openCamera(facing: "user" | "environment" = "user"): Promise<MediaStreamTrack> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { ...CAMERA, facingMode: facing } });
  const track = stream.getVideoTracks()[0];
  if (!track) throw new MediaTrouble("none");
  return track;
}
