/** Tells the gateway what this device has and what its person has seen: watermarks that only grow, at most two a second. */

import type { Page } from "./page";

const EVERY_MS = 500;

export class Receipts {
  private delivered = 0;
  private read = 0;
  private told = { delivered: 0, read: 0 };
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly page: Page,
    private readonly conversation: string,
  ) {}

  mark(delivered: number, read = 0): void {
    this.delivered = Math.max(this.delivered, delivered, read);
    this.read = Math.max(this.read, read);
    this.timer ??= setTimeout(() => this.tell(), EVERY_MS);
  }

  private tell(): void {
    this.timer = undefined;
    const { conversation, delivered, read } = this;
    if (delivered <= this.told.delivered && read <= this.told.read) return;
    if (this.page.connection.send({ type: "receipt.mark", conversation, delivered, read })) this.told = { delivered, read };
    else this.timer = setTimeout(() => this.tell(), 4 * EVERY_MS);
  }
}
