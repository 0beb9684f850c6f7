/** What must outlive a closed tab: unsent messages and drafts, in IndexedDB. An unsent message is the affair of the tab that
 * wrote it for as long as that lives; then of the first other one that asks. Where there is no IndexedDB (some private modes)
 * the same in memory, which then lives as long as the page. */

import type { CustomerBody, ErrorCode } from "./protocol.gen";
import { Tab } from "./tab";

export type Purpose = "image" | "file" | "voice";

/** A file on its way: the bytes stay here until the gateway has them all. */
export interface Attachment {
  readonly blob: Blob;
  readonly name: string;
  readonly purpose: Purpose;
  /** The gateway's name for the upload, once it has begun: a retry goes on from its offset. */
  readonly upload: string | null;
}

export interface Unsent {
  readonly nonce: string;
  readonly person: string;
  readonly conversation: string;
  readonly at: string;
  readonly body: CustomerBody | null;
  readonly attachment: Attachment | null;
  /** Why the gateway refused it for good; the bubble stays, with "try again" and "discard". */
  readonly refused: ErrorCode | null;
}

export interface Keep {
  /** What no living tab answers for, oldest first; from now on this one does. */
  adopt(person: string): Promise<readonly Unsent[]>;
  put(item: Unsent): Promise<void>;
  forget(nonce: string): Promise<void>;
  draft(key: string): Promise<string>;
  setDraft(key: string, text: string): Promise<void>;
}

export async function openKeep(): Promise<Keep> {
  try {
    return new DatabaseKeep(await openDatabase(), await Tab.open());
  } catch {
    return new MemoryKeep();
  }
}

export function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("nestcall", 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("unsent", { keyPath: "nonce" });
      opening.result.createObjectStore("drafts");
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

const asked = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** As kept: with the name of the tab that answers for it. */
type Kept = Unsent & { readonly tab: string };

export class DatabaseKeep implements Keep {
  constructor(
    private readonly database: IDBDatabase,
    private readonly tab: Tab,
  ) {}

  private table(name: "unsent" | "drafts", mode: IDBTransactionMode): IDBObjectStore {
    return this.database.transaction(name, mode).objectStore(name);
  }
  adopt(person: string): Promise<readonly Unsent[]> {
    return this.tab.alone(async (living) => {
      const table = this.table("unsent", "readwrite");
      const all = (await asked(table.getAll())) as Kept[];
      const left = all.filter((item) => item.person === person && !living.has(item.tab));
      await Promise.all(left.map((item) => asked(table.put(this.ours(item)))));
      return left.map(({ tab: _, ...item }) => item).sort((a, b) => (a.at < b.at ? -1 : 1));
    });
  }
  put(item: Unsent): Promise<void> {
    return this.write("unsent", (table) => void table.put(this.ours(item)));
  }
  forget(nonce: string): Promise<void> {
    return this.write("unsent", (table) => void table.delete(nonce));
  }
  async draft(key: string): Promise<string> {
    return ((await asked(this.table("drafts", "readonly").get(key))) as string | undefined) ?? "";
  }
  setDraft(key: string, text: string): Promise<void> {
    return this.write("drafts", (table) => void (text ? table.put(text, key) : table.delete(key)));
  }
  /** Committed at once, without waiting for the request's own event: a tab closed in that moment would take it along. */
  private write(name: "unsent" | "drafts", change: (table: IDBObjectStore) => void): Promise<void> {
    const table = this.table(name, "readwrite");
    const { transaction } = table;
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
      change(table);
      transaction.commit?.();
    });
  }
  private ours(item: Unsent): Kept {
    return { ...item, tab: this.tab.name };
  }
}

/** Nobody can leave anything here, so nothing unsent is kept: the outbox has it for as long as the page lives. */
class MemoryKeep implements Keep {
  private readonly drafts = new Map<string, string>();

  async adopt(): Promise<readonly Unsent[]> {
    return [];
  }
  async put(): Promise<void> {}
  async forget(): Promise<void> {}
  async draft(key: string): Promise<string> {
    return this.drafts.get(key) ?? "";
  }
  async setDraft(key: string, text: string): Promise<void> {
    this.drafts.set(key, text);
  }
}
