import { expect, test } from "vitest";
import { startingAfter, take } from "../src/order";
import { event } from "./events";

/** A small seeded generator: a failing shuffle can be run again. */
function* dice(seed: number): Generator<number> {
  for (let state = seed; ; ) yield (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
}

test("whatever the network drops, doubles or reorders, each event comes out once and in order", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const roll = dice(seed);
    const next = () => roll.next().value as number;
    const log = Array.from({ length: 30 }, (_, at) => event(at + 1));
    const arriving = log.filter(() => next() > 0.15).flatMap((one) => (next() < 0.2 ? [one, one] : [one]));
    arriving.sort(() => next() - 0.5);
    let order = startingAfter(0);
    const out: number[] = [];
    const feed = (...events: typeof log) => {
      const taken = take(order, ...events);
      order = taken.order;
      out.push(...taken.ready.map((one) => one.seq));
      return taken.hole;
    };
    for (const one of arriving) {
      const hole = feed(one);
      if (hole && next() < 0.3) feed(...log.filter((each) => each.seq > hole.after && each.seq < hole.before));
    }
    feed(...log.filter((each) => each.seq > order.last));
    expect(out, `seed ${seed}`).toEqual(log.map((one) => one.seq));
  }
});

test("a hole is named by what is missing", () => {
  const { hole, ready } = take(startingAfter(3), event(4), event(7), event(9));
  expect(ready.map((one) => one.seq)).toEqual([4]);
  expect(hole).toEqual({ after: 4, before: 7 });
});
