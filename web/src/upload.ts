/** Files to the gateway by tus 1.0: in chunks, going on from the gateway's own offset after a lost link, a closed tab or a
 * restarted gateway. `finish` then gives the body to send. */

import { refusalOf, refusedWith, within } from "./api";
import { LinkLost } from "./connection";
import type { Upload } from "./outbox";
import type { CustomerBody } from "./protocol.gen";

/** A piece takes about a second, so that progress is seen on a slow line and a fast one is not held up by round trips. */
const FIRST_BYTES = 64 * 1024;
const LARGEST_BYTES = 1024 * 1024;
const PIECE_MS = 1_000;
const ANSWER_MS = 90_000;
const TUS = { "Tus-Resumable": "1.0.0", "X-Nestcall": "1" };

export const upload: Upload = async (item, told, stop) => {
  const attachment = item.attachment;
  if (!attachment) throw refusedWith("bad_message");
  const { blob } = attachment;
  const known = attachment.upload && (await offsetOf(attachment.upload, stop));
  const begun = known || { url: await create(item.conversation, attachment, stop), offset: 0 };
  if (!known) await told.begun(begun.url);
  for (let offset = begun.offset, bytes = FIRST_BYTES; offset < blob.size; ) {
    told.progress(offset / blob.size);
    const from = Date.now();
    offset = await send(begun.url, blob.slice(offset, offset + bytes), offset, stop);
    bytes = nextPiece(bytes, Date.now() - from);
  }
  told.progress(1);
  const finished = await ask(`${begun.url}/finish`, { method: "POST", headers: TUS, signal: stop });
  return ((await finished.json()) as { body: CustomerBody }).body;
};

/** At most twice the last one. */
export const nextPiece = (bytes: number, tookMs: number): number =>
  Math.min(LARGEST_BYTES, Math.max(FIRST_BYTES, bytes * Math.min(2, PIECE_MS / (tookMs + 1)) | 0));

interface Begun {
  readonly url: string;
  readonly offset: number;
}

async function create(conversation: string, file: { blob: Blob; name: string; purpose: string }, signal: AbortSignal): Promise<string> {
  const metadata = { conversation, purpose: file.purpose, name: file.name || file.purpose };
  const response = await ask("/api/v1/uploads", {
    method: "POST",
    signal,
    headers: { ...TUS, "Upload-Length": String(file.blob.size), "Upload-Metadata": encoded(metadata) },
  });
  const location = response.headers.get("Location");
  if (!location) throw refusedWith("unavailable", "no Location");
  return new URL(location, globalThis.location.href).pathname;
}

/** How far the gateway is; null when it has forgotten the upload and it starts again. */
async function offsetOf(url: string, signal: AbortSignal): Promise<Begun | null> {
  const response = await reach(url, { method: "HEAD", headers: TUS, signal });
  return response.ok ? { url, offset: Number(response.headers.get("Upload-Offset")) } : null;
}

async function send(url: string, body: Blob, offset: number, signal: AbortSignal): Promise<number> {
  const headers = { ...TUS, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
  const response = await reach(url, { method: "PATCH", headers, body, signal });
  if (response.ok) return Number(response.headers.get("Upload-Offset"));
  const there = response.status === 409 ? await offsetOf(url, signal) : null;
  if (there) return there.offset;
  throw await refusalOf(response);
}

async function ask(url: string, request: RequestInit & { signal: AbortSignal }): Promise<Response> {
  const response = await reach(url, request);
  if (!response.ok) throw await refusalOf(response);
  return response;
}

/** No network is no refusal: the outbox goes on when the link is back. Nor is silence: it goes on from what has arrived. */
async function reach(url: string, request: RequestInit & { signal: AbortSignal }): Promise<Response> {
  try {
    return await fetch(url, { ...request, signal: within(ANSWER_MS, request.signal) });
  } catch {
    throw new LinkLost("upload");
  }
}

const encoded = (metadata: Readonly<Record<string, string>>): string =>
  Object.entries(metadata)
    .map(([key, value]) => `${key} ${btoa(String.fromCharCode(...new TextEncoder().encode(value)))}`)
    .join(",");
