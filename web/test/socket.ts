import type { ClientMessage, Ready, ServerMessage } from "../src/protocol.gen";

/** A WebSocket whose other end is the test. */
export class FakeSocket {
  onopen: (() => void) | null = null;
  onmessage: ((frame: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly sent: ClientMessage[] = [];
  closed = false;

  send(frame: string): void {
    this.sent.push(JSON.parse(frame) as ClientMessage);
  }
  close(): void {
    this.closed = true;
  }
  say(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  welcome(conversations: Record<string, number> = {}): void {
    this.onopen?.();
    this.say(ready(conversations));
  }
  of<T extends ClientMessage["type"]>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.sent.filter((one) => one.type === type) as Extract<ClientMessage, { type: T }>[];
  }
}

export const ready = (conversations: Record<string, number>): Ready => ({
  type: "ready",
  protocol: 1,
  connection: "k1",
  me: { id: "p1", role: "customer", name: "", store: null, language: "zh" },
  conversations,
  calls: [],
  ice_servers: [],
  heartbeat_s: 10,
  server_time: "2026-11-22T00:00:00.000000Z",
  capabilities: {},
});
