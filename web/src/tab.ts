/** This tab among the others of the same browser. A tab lives for as long as it holds a Web Lock of its own name: the browser
 * takes the lock away when the tab is closed, discarded or crashes. Where there are no Web Locks (a page by plain http) the
 * others cannot be seen and count as closed; what two tabs then both send is still stored once, for the nonce is the same. */

import { makeNonce } from "./nonce";

const PREFIX = "nestcall-tab-";
const ALONE = "nestcall-adopting";

export class Tab {
  readonly name = PREFIX + makeNonce();

  private constructor(private readonly locks: LockManager | undefined) {}

  static async open(locks: LockManager | undefined = globalThis.navigator?.locks): Promise<Tab> {
    const tab = new Tab(locks);
    if (locks) await tab.live(locks);
    return tab;
  }

  /** Runs `work` in one tab at a time, with the names of those that live. */
  async alone<T>(work: (living: ReadonlySet<string>) => Promise<T>): Promise<T> {
    const { locks } = this;
    if (!locks) return work(new Set([this.name]));
    return locks.request(ALONE, async () => {
      const { held } = await locks.query();
      return work(new Set(held?.map((lock) => lock.name ?? "")));
    });
  }

  /** Until the page goes. One that comes back from the browser's cache has lost its messages to the others: it starts anew. */
  private live(locks: LockManager): Promise<void> {
    return new Promise((begun, failed) => {
      const life = new Promise<void>((over) => globalThis.addEventListener?.("pagehide", () => over()));
      locks.request(this.name, () => (begun(), life)).catch(failed);
      globalThis.addEventListener?.("pageshow", (event) => event.persisted && location.reload());
    });
  }
}
