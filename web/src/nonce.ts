/** A name for one request, made before its first try: 128 random bits, time first so that logs sort. */
export function makeNonce(): string {
  const random = crypto.getRandomValues(new Uint8Array(12));
  const tail = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${Date.now().toString(36)}-${tail}`;
}
