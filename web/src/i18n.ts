/** `t(key, args)`: keys and their {placeholders} are checked by the compiler; zh is the reference, en must have the same. */

import { computed, signal } from "@preact/signals";
import { RefusedError } from "./connection";
import type { ErrorCode, Language } from "./protocol.gen";
import { zh } from "./words/zh";

type Placeholder<S extends string> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Placeholder<Rest> : never;
type Args<S extends string> = [Placeholder<S>] extends [never] ? [] : [args: Record<Placeholder<S>, string | number>];
/** Keys whose wording has no placeholder. */
type Plain<Z extends Record<string, string>> = { [K in keyof Z]: Args<Z[K]> extends [] ? K : never }[keyof Z];

export type Key = keyof typeof zh;
export type PlainKey = Plain<typeof zh>;

/** Null where the browser refuses it (cookies blocked). */
function kept(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

function preferred(): Language {
  const asked = new URLSearchParams(location.search).get("lang") ?? kept()?.getItem("language");
  if (asked === "zh" || asked === "en") return asked;
  return navigator.languages.some((one) => one.startsWith("zh")) || !navigator.language.startsWith("en") ? "zh" : "en";
}

/** The language shown: zh until `useWords` has fetched another. */
export const language = signal<Language>("zh");
const fetches: (() => Promise<void>)[] = [];

/** Before the first drawing: the words this person prefers. */
export const useWords = (): Promise<void> => show(preferred());

export async function setLanguage(to: Language): Promise<void> {
  kept()?.setItem("language", to);
  await show(to);
}

async function show(to: Language): Promise<void> {
  try {
    if (to === "en") await Promise.all(fetches.map((fetch) => fetch()));
  } catch {
    to = "zh"; // not fetched: words she may not read are better than a blank page
  }
  language.value = to;
  document.documentElement.lang = to;
}

const filled = (text: string, args: Readonly<Record<string, unknown>>): string =>
  text.replace(/\{(\w+)\}/g, (hole, name: string) => (name in args ? String(args[name]) : hole));

/** `t` over one pair of dictionaries; `say` for a key kept in a variable. English is fetched when it is wanted. */
export function wording<const Z extends Record<string, string>>(zh: Z, fetchEn: () => Promise<Dictionary<Z>>) {
  let en: Dictionary<Z> = zh;
  fetches.push(async () => void (en = await fetchEn()));
  const words = (): Dictionary<Z> => (language.value === "zh" ? zh : en);
  return {
    words,
    t: <K extends keyof Z>(key: K, ...args: Args<Z[K]>): string => filled(words()[key], args[0] ?? {}),
    say: (key: Plain<Z>): string => words()[key],
  };
}

type Dictionary<Z> = Readonly<Record<keyof Z, string>>;

const shared = wording(zh, async () => (await import("./words/en")).en);
export const { t, say } = shared;

let ofStaff: () => Readonly<Record<string, string>> = () => ({});
/** On the pages of staff these come first: they read of her what she reads of herself. */
export const readOf = (words: typeof ofStaff): void => void (ofStaff = words);

/** For codes that come from the gateway: an unknown one gets the general wording, never a blank. */
function worded(key: string, args: Readonly<Record<string, unknown>>, fallback: Key): string {
  const words: Readonly<Record<string, string>> = { ...shared.words(), ...ofStaff() };
  return filled(words[key] ?? words[fallback] ?? "", args);
}

/** Why a request failed: what the gateway says, or that there is no link. */
export const failureText = (error: unknown): string =>
  error instanceof RefusedError ? errorText(error.code) : t("media.offline");
export const errorText = (code: ErrorCode): string => t(`error.${code}`);
export const noticeText = (code: string, args: Readonly<Record<string, unknown>>): string =>
  worded(`notice.${code}`, { ...args, code }, "notice.unknown");
export const endReasonText = (reason: string): string => worded(`ended.${reason}`, { reason }, "ended.failed");
export const handoffText = (reason: string): string => worded(`handoff.${reason}`, { reason }, "handoff.other");

/** Kept: making one costs a tenth of a millisecond, and a timeline words the time of each of its messages with every event. */
const formatter = (options: Intl.DateTimeFormatOptions) =>
  computed(() => new Intl.DateTimeFormat(language.value === "zh" ? "zh" : "en-GB", options));
const clock = formatter({ hour: "2-digit", minute: "2-digit" });
const day = formatter({ month: "long", day: "numeric", weekday: "short" });

export const clockTime = (at: string): string => clock.value.format(new Date(at));
export const dayName = (at: string): string => day.value.format(new Date(at));

export const money = (fen: number): string =>
  new Intl.NumberFormat(language.value === "zh" ? "zh" : "en-GB", { style: "currency", currency: "CNY" }).format(fen / 100);

/** 75 -> "1:15" */
export const duration = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

export const fileSize = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1_000))} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;

/** A baby's age as shops say it: days to a month, months to two years, then years. */
export function babyAge(bornOn: string, today = new Date()): string {
  const born = new Date(`${bornOn}T00:00:00`);
  const days = Math.floor((today.getTime() - born.getTime()) / 86_400_000);
  const months =
    (today.getFullYear() - born.getFullYear()) * 12 + today.getMonth() - born.getMonth() - (today.getDate() < born.getDate() ? 1 : 0);
  if (months < 1) return t("age.days", { n: days });
  return months < 24 ? t("age.months", { n: months }) : t("age.years", { n: Math.floor(months / 12) });
}
