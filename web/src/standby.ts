/** A peer connection made before the tap: ICE and DTLS are up while the page is visible, no microphone is asked for. The
 * tap is then replaceTrack and one message. The gateway sheds standbys first under load; then the tap trickles. */

import type { Page } from "./page";
import { whyNoCalls } from "./microphone";
import type { Peers } from "./peers";
import type { Peer } from "./rtc";

const HIDDEN_MS = 60_000;
const AGAIN_MS = 60_000;

export class Standby {
  private peer: Peer | null = null;
  private notBefore = 0;
  private hiding: ReturnType<typeof setTimeout> | undefined;
  private permission: PermissionStatus | null = null;

  constructor(
    private readonly page: Page,
    private readonly peers: Peers,
    private readonly busy: () => boolean,
    private readonly made: (peer: Peer) => void,
  ) {
    void askPermission().then((permission) => (this.permission = permission));
    page.connection.onState((state) => (state === "online" ? this.wanted() : this.gone()));
    document.addEventListener("visibilitychange", () => this.seen());
  }

  get name(): string | null {
    return this.peer?.name ?? null;
  }

  get state(): string {
    return this.peer?.state ?? "none";
  }

  /** Hands it over if it is of use; the caller owns it then. */
  take(): Peer | null {
    const peer = this.peer;
    this.peer = null;
    const alive = peer?.offered && (peer.state === "connected" || peer.state === "connecting" || peer.state === "new");
    if (peer && !alive) this.peers.forget(peer);
    return alive ? peer : null;
  }

  /** The gateway gave it up, or it never came up: not again at once. */
  shed(): void {
    this.notBefore = Date.now() + AGAIN_MS;
    this.peers.forget(this.peer, false);
    this.peer = null;
    setTimeout(() => this.wanted(), AGAIN_MS);
  }

  /** Make one, if there is none and nothing speaks against it. */
  wanted(): void {
    const no = this.peer || document.hidden || this.busy() || whyNoCalls() || Date.now() < this.notBefore;
    const { ready, state } = this.page.connection;
    if (no || state !== "online" || !ready || ready.capabilities["voice"] === false) return;
    const peer = this.peers.make();
    this.peer = peer;
    peer.offer().catch(() => peer === this.peer && this.shed());
    this.made(peer);
  }

  /** Was the microphone allowed before? Then ringing need not wait for it. */
  get microphoneAllowed(): boolean {
    return this.permission?.state === "granted";
  }

  private gone(): void {
    this.peers.forget(this.peer, false);
    this.peer = null;
  }

  private seen(): void {
    clearTimeout(this.hiding);
    if (document.hidden) this.hiding = setTimeout(() => this.peers.forget(this.take()), HIDDEN_MS);
    else this.wanted();
  }
}

async function askPermission(): Promise<PermissionStatus | null> {
  try {
    return await navigator.permissions.query({ name: "microphone" as PermissionName });
  } catch {
    return null; // Firefox before 131 has no such permission name
  }
}
