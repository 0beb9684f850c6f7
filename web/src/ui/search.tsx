/** Search in one conversation, or in all the person may see; a result opens at its message. One conversation can be taken
 * along from here too. */

import { useState } from "preact/hooks";
import { call } from "../api";
import { clockTime, dayName, failureText, t } from "../i18n";
import { Dialog } from "./dialog";

interface Hit {
  readonly conversation: string;
  readonly seq: number;
  readonly at: string;
  readonly snippet: string;
  readonly customer_name: string;
}

interface Found {
  readonly items: readonly Hit[];
  /** Where the page after this one begins. */
  readonly next: string | null;
}

interface Props {
  readonly label: string;
  /** Null: everything this person may see. */
  readonly conversation: string | null;
  readonly onOpen: (seq: number, conversation: string) => void;
  readonly onClose: () => void;
}

export function Search({ label, conversation, onOpen, onClose }: Props) {
  const [found, setFound] = useState<(Found & { readonly words: string }) | null>(null);
  const [problem, setProblem] = useState("");
  const look = async (words: string, before: readonly Hit[], cursor: string) => {
    try {
      setProblem("");
      const { items, next } = await find(conversation, words, cursor);
      setFound({ words, items: [...before, ...items], next });
    } catch (error) {
      setProblem(failureText(error));
    }
  };
  const search = (event: SubmitEvent) => {
    event.preventDefault();
    const words = String(new FormData(event.currentTarget as HTMLFormElement).get("words") ?? "").trim();
    if (words) void look(words, [], "");
  };
  return (
    <Dialog label={label} onClose={onClose}>
      <form class="row" onSubmit={search}>
        <input name="words" type="search" class="grow" aria-label={label} autoFocus />
        <button class="primary">{t("chat.search.go")}</button>
      </form>
      <p role="status" class="soft">
        {problem || (found && (found.items.length ? t("chat.search.results", { n: `${found.items.length}${found.next ? "+" : ""}` }) : t("chat.search.empty")))}
      </p>
      <ul class="results">
        {found?.items.map((hit) => (
          <li key={`${hit.conversation}-${hit.seq}`}>
            <button type="button" class="bare" onClick={() => onOpen(hit.seq, hit.conversation)}>
              <span class="grow">
                {hit.snippet}
                <br />
                <span class="soft">
                  {conversation ? "" : `${hit.customer_name} · `}
                  {dayName(hit.at)} {clockTime(hit.at)}
                </span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {found?.next ? (
        <button type="button" class="small" onClick={() => void look(found.words, found.items, found.next!)}>
          {t("chat.search.more")}
        </button>
      ) : null}
      {conversation ? <Export conversation={conversation} /> : null}
    </Dialog>
  );
}

/** As a page to read, or for a program. */
export function Export({ conversation }: { conversation: string }) {
  const path = `/api/v1/conversations/${encodeURIComponent(conversation)}/export?format=`;
  return (
    <p class="export soft">
      {t("chat.export")}{" "}
      <a href={`${path}html`} download>
        {t("chat.export.html")}
      </a>
      {" · "}
      <a href={`${path}json`} download>
        JSON
      </a>
    </p>
  );
}

async function find(conversation: string | null, words: string, cursor: string): Promise<Found> {
  const query = new URLSearchParams({ q: words, ...(conversation ? { conversation } : {}), ...(cursor ? { cursor } : {}) });
  return call<Found>("GET", `/search?${query}`);
}
