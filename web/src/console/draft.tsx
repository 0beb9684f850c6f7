/** A draft with words of a diagnosis or a dose is warned about before it is sent: the gateway judges, the advisor decides. */

import { useRef, useState } from "preact/hooks";
import { call } from "../api";
import { ts } from "../words/staff";

const PAUSE_MS = 600;

interface Checked {
  readonly words: readonly string[];
}

export interface DraftCheck {
  readonly words: readonly string[];
  check(text: string): void;
  /** Sends, unless a warning was just found that the advisor has not seen. */
  guard(send: (text: string) => void): (text: string) => void;
  dismiss(): void;
}

export function useDraftCheck(): DraftCheck {
  const [words, setWords] = useState<readonly string[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const asked = async (text: string) => setWords(text.trim() ? await judged(text) : []);
  return {
    words,
    check: (text) => {
      clearTimeout(timer.current);
      timer.current = setTimeout(() => void asked(text), text ? PAUSE_MS : 0);
    },
    guard: (send) => (text) => {
      clearTimeout(timer.current);
      setWords([]);
      send(text);
    },
    dismiss: () => setWords([]),
  };
}

/** Empty where the gateway has no judge for drafts: then there is nothing to warn with. */
async function judged(text: string): Promise<readonly string[]> {
  try {
    return (await call<Checked>("POST", "/drafts/check", { text })).words;
  } catch {
    return [];
  }
}

export function DraftWarning({ draft }: { draft: DraftCheck }) {
  if (!draft.words.length) return null;
  return (
    <p class="warning" role="alert">
      {ts("draft.warning", { words: draft.words.join("、") })}
    </p>
  );
}
