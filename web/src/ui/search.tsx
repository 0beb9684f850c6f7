/** Search in one conversation; a result opens at its message. */

import { useState } from "preact/hooks";
import { call } from "../api";
import { RefusedError } from "../connection";
import { clockTime, dayName, errorText, t } from "../i18n";
import { Dialog } from "./dialog";

export interface Hit {
  readonly conversation: string;
  readonly seq: number;
  readonly at: string;
  readonly snippet: string;
}

interface Props {
  readonly conversation: string;
  readonly onOpen: (seq: number) => void;
  readonly onClose: () => void;
}

export function Search({ conversation, onOpen, onClose }: Props) {
  const [hits, setHits] = useState<readonly Hit[] | null>(null);
  const [problem, setProblem] = useState("");
  const search = async (event: SubmitEvent) => {
    event.preventDefault();
    const words = String(new FormData(event.currentTarget as HTMLFormElement).get("words") ?? "").trim();
    if (!words) return;
    try {
      setProblem("");
      setHits(await find(conversation, words));
    } catch (error) {
      setProblem(error instanceof RefusedError ? errorText(error.code) : t("error.unavailable"));
    }
  };
  return (
    <Dialog label={t("chat.search")} onClose={onClose}>
      <form class="row" onSubmit={(event) => void search(event)}>
        <input name="words" type="search" class="grow" aria-label={t("chat.search")} autoFocus />
        <button class="primary">{t("chat.search")}</button>
      </form>
      <p role="status" class="soft">
        {problem || (hits && (hits.length ? t("chat.search.results", { n: hits.length }) : t("chat.search.empty")))}
      </p>
      <ul class="results">
        {hits?.map((hit) => (
          <li key={`${hit.conversation}-${hit.seq}`}>
            <button type="button" class="bare" onClick={() => onOpen(hit.seq)}>
              <span class="grow">
                {hit.snippet}
                <br />
                <span class="soft">
                  {dayName(hit.at)} {clockTime(hit.at)}
                </span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

async function find(conversation: string, words: string): Promise<readonly Hit[]> {
  const query = new URLSearchParams({ q: words, conversation });
  return (await call<{ items: readonly Hit[] }>("GET", `/search?${query}`)).items;
}
