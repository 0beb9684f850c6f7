/** What must outlive a closed tab: unsent messages and drafts, in IndexedDB. Where there is none (some private modes) the
 * same in memory, which then lives as long as the page. */

import type { CustomerBody, ErrorCode } from "./protocol.gen";

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
  unsent(person: string): Promise<readonly Unsent[]>;
  put(item: Unsent): Promise<void>;
  forget(nonce: string): Promise<void>;
  draft(key: string): Promise<string>;
  setDraft(key: string, text: string): Promise<void>;
}

export async function openKeep(): Promise<Keep> {
  try {
    return new DatabaseKeep(await openDatabase());
  } catch {
    return new MemoryKeep();
  }
}

function openDatabase(): Promise<IDBDatabase> {
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

class DatabaseKeep implements Keep {
  constructor(private readonly database: IDBDatabase) {}

  private table(name: "unsent" | "drafts", mode: IDBTransactionMode): IDBObjectStore {
    return this.database.transaction(name, mode).objectStore(name);
  }
  async unsent(person: string): Promise<readonly Unsent[]> {
    const all = (await asked(this.table("unsent", "readonly").getAll())) as Unsent[];
    return all.filter((item) => item.person === person).sort((a, b) => (a.at < b.at ? -1 : 1));
  }
  async put(item: Unsent): Promise<void> {
    await asked(this.table("unsent", "readwrite").put(item));
  }
  async forget(nonce: string): Promise<void> {
    await asked(this.table("unsent", "readwrite").delete(nonce));
  }
  async draft(key: string): Promise<string> {
    return ((await asked(this.table("drafts", "readonly").get(key))) as string | undefined) ?? "";
  }
  async setDraft(key: string, text: string): Promise<void> {
    const table = this.table("drafts", "readwrite");
    await (text ? asked(table.put(text, key)) : asked(table.delete(key)));
  }
}

export class MemoryKeep implements Keep {
  private readonly items = new Map<string, Unsent>();
  private readonly drafts = new Map<string, string>();

  async unsent(person: string): Promise<readonly Unsent[]> {
    return [...this.items.values()].filter((item) => item.person === person);
  }
  async put(item: Unsent): Promise<void> {
    this.items.set(item.nonce, item);
  }
  async forget(nonce: string): Promise<void> {
    this.items.delete(nonce);
  }
  async draft(key: string): Promise<string> {
    return this.drafts.get(key) ?? "";
  }
  async setDraft(key: string, text: string): Promise<void> {
    this.drafts.set(key, text);
  }
}
