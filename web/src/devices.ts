/** Our side of the picture: microphone and camera while a call lasts. */

import { signal } from "@preact/signals";
import type { PlainKey } from "./i18n";
import { type Opened, openCamera, openMicrophone, troubleOf } from "./microphone";

export interface DevicesState {
  readonly muted: boolean;
  readonly camera: boolean;
  /** What is less than asked for (no camera). */
  readonly notice: PlainKey | null;
}

const OFF: DevicesState = { muted: false, camera: false, notice: null };

export class Devices {
  readonly state = signal<DevicesState>(OFF);
  readonly stream = signal<MediaStream | null>(null);
  private facing: "user" | "environment" = "user";

  /** `changed`: the peer connection is to send these tracks from now on. */
  constructor(private readonly changed: (stream: MediaStream) => void) {}

  use({ stream, withoutCamera }: Opened): void {
    if (stream !== this.stream.value) stopTracks(this.stream.value);
    this.stream.value = stream;
    this.state.value = { ...OFF, notice: withoutCamera, camera: stream.getVideoTracks().length > 0 };
    this.changed(stream);
    this.watch(stream);
  }

  mute(muted: boolean): void {
    this.stream.value?.getAudioTracks().forEach((track) => (track.enabled = !muted));
    this.set({ muted });
  }

  async camera(on: boolean): Promise<void> {
    if (!on) return this.replaceCamera(null);
    try {
      this.replaceCamera(await openCamera(this.facing));
    } catch (error) {
      this.replaceCamera(null); // after a flip the other one is stopped
      this.set({ notice: troubleOf(error) === "denied" ? "media.denied.camera" : "media.no_camera" });
    }
  }

  async flip(): Promise<void> {
    this.facing = this.facing === "user" ? "environment" : "user";
    this.stream.value?.getVideoTracks().forEach((one) => one.stop()); // phones open one camera at a time
    await this.camera(true);
  }

  stop(): void {
    stopTracks(this.stream.value);
    this.stream.value = null;
    this.state.value = OFF;
  }

  /** The microphone may be unplugged, or taken by another call: `ended` is never told of what we stop ourselves. */
  private watch(stream: MediaStream): void {
    for (const track of stream.getAudioTracks()) {
      track.onended = () => void this.reopen(track);
      track.onmute = () => this.set({ notice: "media.in_use" }); // a phone call on iOS: it comes back by itself
      track.onunmute = () => this.state.value.notice === "media.in_use" && this.set({ notice: null });
    }
  }

  private async reopen(lost: MediaStreamTrack): Promise<void> {
    try {
      const fresh = await openMicrophone();
      const old = this.stream.value;
      if (!old?.getAudioTracks().includes(lost)) return stopTracks(fresh); // hung up meanwhile
      this.stream.value = new MediaStream([...fresh.getAudioTracks(), ...old.getVideoTracks()]);
      this.mute(this.state.value.muted);
      this.changed(this.stream.value);
      this.watch(fresh);
    } catch (error) {
      this.set({ notice: `media.${troubleOf(error)}` });
    }
  }

  private replaceCamera(track: MediaStreamTrack | null): void {
    const old = this.stream.value;
    if (!old) return track?.stop();
    old.getVideoTracks().forEach((one) => one.stop());
    this.stream.value = new MediaStream([...old.getAudioTracks(), ...(track ? [track] : [])]);
    this.set({ camera: track !== null, notice: null });
    this.changed(this.stream.value);
  }

  private set(change: Partial<DevicesState>): void {
    this.state.value = { ...this.state.value, ...change };
  }
}

export const stopTracks = (stream: MediaStream | null): void => stream?.getTracks().forEach((track) => track.stop());
