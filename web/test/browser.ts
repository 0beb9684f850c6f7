import { vi } from "vitest";

/** What of a browser a call touches, with devices and peer connections that open when the test says so. */
export class FakeTrack extends EventTarget {
  enabled = true;
  stopped = false;
  onended: (() => void) | null = null;
  onmute: (() => void) | null = null;
  onunmute: (() => void) | null = null;
  constructor(readonly kind: "audio" | "video") {
    super();
  }
  stop(): void {
    this.stopped = true;
  }
}

export class FakeStream {
  constructor(readonly tracks: readonly FakeTrack[]) {}
  getTracks = () => [...this.tracks];
  getAudioTracks = () => this.tracks.filter((one) => one.kind === "audio");
  getVideoTracks = () => this.tracks.filter((one) => one.kind === "video");
}

class FakePeerConnection {
  static readonly made: FakePeerConnection[] = [];
  connectionState = "new";
  iceConnectionState = "new";
  signalingState = "have-local-offer";
  localDescription = { sdp: "offer" };
  readonly sent: { kind: string; track: FakeTrack | null }[] = [];
  onconnectionstatechange: (() => void) | null = null;
  constructor() {
    FakePeerConnection.made.push(this);
  }
  addTransceiver(kind: "audio" | "video") {
    const sender = { kind, track: null as FakeTrack | null, replaceTrack: async (track: FakeTrack | null) => void (sender.track = track) };
    this.sent.push(sender);
    return { sender, receiver: { track: new FakeTrack(kind), getSynchronizationSources: () => [] } };
  }
  setLocalDescription = async () => undefined;
  setRemoteDescription = async () => undefined;
  getStats = async () => new Map();
  close(): void {
    this.connectionState = "closed";
  }
  fail(): void {
    this.connectionState = "failed";
    this.onconnectionstatechange?.();
  }
}

class FakeAudioContext {
  resume = async () => undefined;
  close = async () => undefined;
  createAnalyser = () => ({ getFloatTimeDomainData: (into: Float32Array) => into.fill(0.1) });
  createMediaStreamSource = () => ({ connect: () => undefined });
}

export class FakeLock {
  released = false;
  release = async () => void (this.released = true);
}

export interface FakeBrowser {
  readonly locks: FakeLock[];
  /** Open permission prompts, in the order they were asked for. */
  readonly prompts: ((stream: FakeStream) => void)[];
  readonly connections: FakePeerConnection[];
  readonly players: { volume: number }[];
  readonly document: EventTarget & { hidden: boolean };
}

export function fakeBrowser(permission: "granted" | "prompt"): FakeBrowser {
  const prompts: FakeBrowser["prompts"] = [];
  const players: { volume: number }[] = [];
  const document = Object.assign(new EventTarget(), { hidden: false });
  const kept = new Map<string, string>();
  const locks: FakeLock[] = [];
  FakePeerConnection.made.length = 0;
  vi.stubGlobal("RTCPeerConnection", FakePeerConnection);
  vi.stubGlobal("MediaStream", FakeStream);
  vi.stubGlobal("AudioContext", FakeAudioContext);
  vi.stubGlobal("document", document);
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("requestAnimationFrame", () => undefined);
  vi.stubGlobal("sessionStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
  vi.stubGlobal("navigator", {
    wakeLock: { request: async () => (locks.push(new FakeLock()), locks.at(-1)) },
    permissions: { query: async () => ({ state: permission }) },
    mediaDevices: { getUserMedia: () => new Promise((resolve) => prompts.push(resolve)) },
  });
  vi.stubGlobal(
    "Audio",
    class {
      volume = 1;
      srcObject = null;
      constructor() {
        players.push(this);
      }
      play = async () => undefined;
    },
  );
  return { locks, prompts, connections: FakePeerConnection.made, players, document };
}
