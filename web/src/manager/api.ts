/** What the manager's pages ask of the gateway: knowledge, unanswered questions, scores. */

import { call } from "../api";
import { RefusedError } from "../connection";

export const CATEGORIES = ["shopping", "parenting", "logistics", "appointment", "promotion"] as const;
export type Category = (typeof CATEGORIES)[number];

export interface Entry {
  readonly id: string;
  readonly version?: number;
  readonly category: Category;
  readonly question: string;
  readonly question_en: string;
  readonly phrasings: readonly string[];
  readonly answer: string;
  readonly answer_en: string;
  readonly store: string | null;
  readonly valid_from: string | null;
  readonly valid_to: string | null;
  readonly source: string;
  readonly sensitive: boolean;
}

export interface Version {
  readonly version: number;
  readonly content: Entry;
  readonly by: string;
  /** Of who that is; null: nobody we know. */
  readonly name: string | null;
  readonly at: string;
}

type Totals = Readonly<Record<string, number>>;

/** What publishing does: past questions it answers now, and the golden score before and after. */
export interface Judged {
  readonly answered: readonly string[];
  readonly before: Totals | null;
  readonly after: Totals | null;
  readonly worse: boolean;
}

export interface Cluster {
  readonly cluster: string;
  readonly size: number;
  readonly questions: readonly string[];
  readonly why: Readonly<Record<string, number>>;
  readonly draft: string;
  readonly last_at: string;
  /** Where it was asked last. */
  readonly conversation: string;
  readonly seq: number;
  readonly complaints: readonly { readonly comment: string; readonly conversation: string; readonly seq: number }[];
}

/** Row 0: the whole file. */
export interface Fault {
  readonly row: number;
  readonly id: string;
  readonly field: string;
  readonly code: string;
  readonly why: string;
}

export interface Imported {
  readonly good: number;
  readonly published: number;
  /** Rows that say what is published already. */
  readonly same: number;
  readonly faults: readonly Fault[];
}

export interface Score {
  readonly at: string;
  readonly totals: Totals;
}

export interface Golden {
  readonly id: string;
  readonly question: string;
  readonly expect: string | null;
}

export interface StoreName {
  readonly id: string;
  readonly name: string;
  readonly name_en: string;
}

export const MATTERS = ["feeding", "sleep", "skin", "illness", "crying"] as const;
export type Matter = (typeof MATTERS)[number];

/** A person answers in this matter; with `under_days` only for younger children. */
export interface Rule {
  readonly matter: Matter;
  readonly under_days?: number;
}

export interface Trial {
  readonly top: readonly { readonly id: string; readonly question: string; readonly confidence: number }[];
  readonly decision: "answer" | "clarify" | "handoff";
  readonly vectors: "off" | "not_needed" | "used" | "failed";
}

const path = (id: string): string => `/knowledge/${encodeURIComponent(id)}`;
const items = async <T>(from: string): Promise<readonly T[]> => (await call<{ items: readonly T[] }>("GET", from)).items;
const confirming = (confirmed: boolean): string => (confirmed ? "?confirm=true" : "");

export const findEntries = (words: string, category: string): Promise<{ items: readonly Entry[]; total: number }> =>
  call("GET", `/knowledge?${new URLSearchParams({ q: words, category })}`);
export const versionsOf = (id: string): Promise<readonly Version[]> => items(`${path(id)}/versions`);
export const preview = (entry: Entry): Promise<Judged> => call("POST", "/knowledge/preview", bare(entry));
export const withdraw = (id: string, confirmed: boolean): Promise<unknown> => call("DELETE", path(id) + confirming(confirmed));
export const rollBack = (id: string, version: number, confirmed: boolean): Promise<unknown> =>
  call("POST", `${path(id)}/rollback${confirming(confirmed)}`, { version });
export const tryOut = (question: string): Promise<Trial> => call("POST", "/knowledge/try", { question });
export const clusters = (): Promise<readonly Cluster[]> => items("/unanswered");
export const dismiss = (cluster: string): Promise<unknown> => call("POST", `/unanswered/${cluster}/dismiss`, {});
export const scores = (): Promise<readonly Score[]> => items("/scores");
export const measure = (): Promise<Score> => call("POST", "/scores", {});
export const goldenQuestions = (): Promise<readonly Golden[]> => items("/golden");
export const addGolden = (question: string, expect: string): Promise<Golden> =>
  call("POST", "/golden", { question, expect: expect || null });
export const dropGolden = (id: string): Promise<unknown> => call("DELETE", `/golden/${encodeURIComponent(id)}`);

/** Publishes; for a cluster of unanswered questions that settles it too. */
export const publish = (entry: Entry, cluster: string | null, confirmed: boolean): Promise<Judged> =>
  cluster
    ? call("POST", `/unanswered/${cluster}/answer${confirming(confirmed)}`, bare(entry))
    : call("PUT", path(entry.id) + confirming(confirmed), bare(entry));

export const storesOfChain = (): Promise<readonly StoreName[]> => items("/stores");
export const rulesOf = async (store: string): Promise<readonly Rule[]> =>
  (await call<{ person_for: readonly Rule[] }>("GET", `/stores/${store}/rules`)).person_for;
export const keepRules = (store: string, rules: readonly Rule[]): Promise<unknown> =>
  call("PUT", `/stores/${store}/rules`, { person_for: rules });

/** Bad rows are no failure: the report names each. */
export async function bringIn(file: File, confirmed: boolean): Promise<Imported> {
  const isCsv = file.name.toLowerCase().endsWith(".csv");
  const typed = new Blob([file], { type: isCsv ? "text/csv" : "application/json" });
  try {
    return await call<Imported>("POST", `/knowledge/import${confirming(confirmed)}`, typed);
  } catch (error) {
    if (!wouldLower(error) && error instanceof RefusedError && isReport(error.more)) return error.more;
    throw error;
  }
}

const isReport = (more: unknown): more is Imported => typeof more === "object" && more !== null && "faults" in more;

/** The numbers of a publication that would lower the score; null when that is not why it was refused. */
export function wouldLower(error: unknown): Judged | null {
  const more = error instanceof RefusedError ? error.more : null;
  return typeof more === "object" && more !== null && "before" in more ? (more as Judged) : null;
}

/** The shares that change, for people: `答对率 92.0% → 91.5%`. */
export const RATES = ["top1", "answered_right", "helped", "answered_wrong"] as const;
export function changes({ before, after }: Judged): readonly (readonly [(typeof RATES)[number], string, string])[] {
  if (!before || !after) return [];
  const share = (totals: Totals, name: (typeof RATES)[number]): string =>
    name === "answered_wrong" ? String(totals[name] ?? 0) : `${((totals[name] ?? 0) * 100).toFixed(1)}%`;
  return RATES.filter((name) => before[name] !== after[name]).map((name) => [name, share(before, name), share(after, name)]);
}

const bare = ({ version: _, ...entry }: Entry): Omit<Entry, "version"> => entry;
