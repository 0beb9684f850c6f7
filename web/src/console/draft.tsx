/** A draft with words of a diagnosis, a dose or formula marketing is warned about before it is sent: the gateway judges,
 * the advisor decides. While a warning stands, the first press of Send only shows it. */

import { useRef, useState } from "preact/hooks";
import { call } from "../api";
import { type StaffKey, sayStaff, ts } from "../words/staff";

const PAUSE_MS = 500;
const JUDGED_WITHIN_MS = 1_500;

interface Concern {
  readonly concern: "diagnosis" | "drug" | "dose" | "breast_milk_claim" | "formula_push";
  readonly words: string;
}

const REASONS = {
  diagnosis: "draft.diagnosis",
  drug: "draft.drug",
  dose: "draft.dose",
  breast_milk_claim: "draft.breast_milk_claim",
  formula_push: "draft.formula_push",
} as const satisfies Record<Concern["concern"], StaffKey>;

export interface DraftCheck {
  readonly concerns: readonly Concern[];
  /** While writing. */
  check(text: string): void;
  /** Sends a draft nobody need worry about, or one that was sent again after its warning. */
  guard(send: (text: string) => void, keep: (text: string) => void): (text: string) => void;
}

export function useDraftCheck(): DraftCheck {
  const [concerns, setConcerns] = useState<readonly Concern[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const warned = useRef("");
  const judge = async (text: string): Promise<readonly Concern[]> => {
    const found = text.trim() ? await judged(text) : [];
    setConcerns(found);
    return found;
  };
  return {
    concerns,
    check: (text) => {
      clearTimeout(timer.current);
      timer.current = setTimeout(() => void judge(text), text ? PAUSE_MS : 0);
    },
    guard: (send, keep) => (text) => {
      clearTimeout(timer.current);
      const again = warned.current === text;
      warned.current = "";
      if (again) return setConcerns([]), send(text);
      void judge(text).then((found) => {
        if (!found.length) return send(text);
        warned.current = text;
        keep(text);
      });
    },
  };
}

const late = (): Promise<never> => new Promise((_, reject) => setTimeout(reject, JUDGED_WITHIN_MS));

/** A judge that does not answer holds nobody's reply up. */
async function judged(text: string): Promise<readonly Concern[]> {
  try {
    const asked = call<{ concerns: readonly Concern[] }>("POST", "/drafts/check", { text });
    return (await Promise.race([asked, late()])).concerns;
  } catch {
    return [];
  }
}

export function DraftWarning({ draft }: { draft: DraftCheck }) {
  if (!draft.concerns.length) return null;
  const found = draft.concerns.map(({ concern, words }) => `${sayStaff(REASONS[concern])}: ${words}`);
  return (
    <p class="warning" role="alert">
      {ts("draft.warning", { found: [...new Set(found)].join(" · ") })}
    </p>
  );
}
