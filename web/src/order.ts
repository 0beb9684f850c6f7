/** PURE: events in, in whatever order the network had; out come those that are next, each once.
 *
 *     take(order, event) -> { order, ready, hole }
 *
 * `ready` are the events from last+1 on, without a gap. What is ahead of a gap is held back, and `hole` names the gap to
 * pull (`after` .. `before`, both exclusive). What was seen already is dropped. */

import type { Event as LogEvent } from "./protocol.gen";

export interface Hole {
  readonly after: number;
  readonly before: number;
}

export interface Order {
  readonly last: number;
  readonly held: ReadonlyMap<number, LogEvent>;
}

export interface Taken {
  readonly order: Order;
  readonly ready: readonly LogEvent[];
  readonly hole: Hole | null;
}

export const startingAfter = (last: number): Order => ({ last, held: new Map() });

export function take(order: Order, ...events: readonly LogEvent[]): Taken {
  const held = new Map(order.held);
  for (const event of events) if (event.seq > order.last) held.set(event.seq, event);
  const ready: LogEvent[] = [];
  let last = order.last;
  for (let next = held.get(last + 1); next; next = held.get(last + 1)) {
    ready.push(next);
    held.delete(++last);
  }
  return { order: { last, held }, ready, hole: holeAfter(last, held) };
}

function holeAfter(last: number, held: ReadonlyMap<number, LogEvent>): Hole | null {
  return held.size === 0 ? null : { after: last, before: Math.min(...held.keys()) };
}
