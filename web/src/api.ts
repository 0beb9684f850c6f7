/** The REST side: sign-in, search, uploads, knowledge. Errors carry the gateway's code. */

import { RefusedError } from "./connection";
import type { Error as Refusal, ErrorCode } from "./protocol.gen";

const NO_REFUSAL = { type: "error", nonce: null, re: null, peer: null, detail: "", retry_after_ms: null } as const;

export const refusedWith = (code: ErrorCode, detail = "", more: unknown = null): RefusedError =>
  new RefusedError({ ...NO_REFUSAL, code, detail }, more);

export async function refusalOf(response: Response): Promise<RefusedError> {
  const said = (await response.json().catch(() => null)) as Partial<Refusal> | null;
  return refusedWith(said?.code ?? codeOf(response.status), said?.detail ?? "", said);
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  if (status === 413) return "file_too_large";
  return status === 429 ? "too_fast" : "unavailable";
}

/** Aborted after `ms`, or with `stop`. (AbortSignal.any needs Safari 17.4.) */
export function within(ms: number, stop: AbortSignal): AbortSignal {
  const both = new AbortController();
  const abort = () => both.abort();
  setTimeout(abort, ms);
  if (stop.aborted) abort();
  stop.addEventListener("abort", abort, { signal: both.signal }); // many requests may share one stop
  return both.signal;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export async function call<T>(method: Method, path: string, body?: unknown, signal: AbortSignal | null = null): Promise<T> {
  const isRaw = body instanceof Blob;
  const response = await fetch(`/api/v1${path}`, {
    method,
    signal,
    // A page elsewhere cannot add this header to a form: writes that carry it came from us.
    headers: { "X-Nestcall": "1", ...(body !== undefined && !isRaw ? { "Content-Type": "application/json" } : {}) },
    ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
  }).catch(() => null);
  if (!response) throw refusedWith("unavailable", "no network");
  if (!response.ok) throw await refusalOf(response);
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}
