/** The Web Locks of one browser: exclusive, first come first served. */
export class FakeLocks {
  private readonly tails = new Map<string, Promise<unknown>>();
  private readonly holding = new Set<string>();

  request<T>(name: string, work: () => Promise<T>): Promise<T> {
    const mine = (this.tails.get(name) ?? Promise.resolve()).then(async () => {
      this.holding.add(name);
      return work().finally(() => this.holding.delete(name));
    });
    this.tails.set(
      name,
      mine.catch(() => undefined),
    );
    return mine;
  }
  async query() {
    return { held: [...this.holding].map((name) => ({ name })) };
  }
  /** The tab that holds it is gone. */
  kill(name: string): void {
    this.holding.delete(name);
  }
  asManager(): LockManager {
    return this as unknown as LockManager;
  }
}
