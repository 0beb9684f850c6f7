/** This page's peer connections by name: the standby, the one in a call, and perhaps the next one. */

import type { Connection } from "./connection";
import { Peer, type PeerState } from "./rtc";

export class Peers {
  private readonly known = new Map<string, Peer>();

  constructor(
    private readonly connection: Connection,
    private readonly changed: (peer: Peer, state: PeerState) => void,
  ) {}

  get(name: string): Peer | undefined {
    return this.known.get(name);
  }

  make(): Peer {
    const servers = this.connection.ready?.ice_servers ?? [];
    const peer: Peer = new Peer(this.connection, servers, (state) => this.changed(peer, state));
    this.known.set(peer.name, peer);
    return peer;
  }

  async offered(): Promise<Peer> {
    const peer = this.make();
    await peer.offer();
    return peer;
  }

  /** `tell`: the gateway does not know yet that it is over. */
  forget(peer: Peer | null | undefined, tell = true): void {
    if (!peer) return;
    this.known.delete(peer.name);
    peer.close(tell);
  }
}
