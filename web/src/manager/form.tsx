/** Writing an entry: what it answers, in both languages; what it would change is shown before it is published. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { problemText } from "../problem";
import { Dialog } from "../ui/dialog";
import { ts } from "../words/staff";
import { CATEGORIES, type Category, changes, type Entry, type Judged, preview, publish, wouldLower } from "./api";
import { storeText, useStores } from "./stores";

interface Props {
  readonly entry: Entry;
  /** The unanswered questions this is to answer. */
  readonly cluster: string | null;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

export function EntryForm({ entry, cluster, onClose, onDone }: Props) {
  const [problem, setProblem] = useState("");
  const [judged, setJudged] = useState<Judged | null>(null);
  const [lower, setLower] = useState<Judged | null>(null);
  const [busy, setBusy] = useState(false);
  const stores = useStores((error) => setProblem(problemText(error)));

  const attempt = async (form: HTMLFormElement, act: (written: Entry) => Promise<void>) => {
    try {
      setProblem("");
      setBusy(true); // judging asks all golden questions: a second or more
      await act(written(form, entry));
    } catch (error) {
      setLower(wouldLower(error));
      if (!wouldLower(error)) setProblem(problemText(error));
    } finally {
      setBusy(false);
    }
  };
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    await attempt(event.currentTarget as HTMLFormElement, async (one) => {
      await publish(one, cluster, lower !== null);
      onDone();
    });
  };
  const look = (form: HTMLFormElement | null) =>
    form?.reportValidity() && void attempt(form, async (one) => setJudged(await preview(one)));

  return (
    <Dialog label={entry.question || ts("manager.new")} onClose={onClose} class="wide">
      <form class="entry" aria-busy={busy} onSubmit={(event) => void save(event)} onInput={() => (setLower(null), setJudged(null))}>
        <Field label={ts("manager.question")}>
          <input name="question" required maxLength={300} defaultValue={entry.question} />
        </Field>
        <Field label={ts("manager.phrasings")}>
          <textarea name="phrasings" rows={3} defaultValue={entry.phrasings.join("\n")} />
        </Field>
        <Field label={ts("manager.answer")}>
          <textarea name="answer" required rows={4} maxLength={4000} defaultValue={entry.answer} />
        </Field>
        <Field label={ts("manager.question_en")}>
          <input name="question_en" maxLength={300} defaultValue={entry.question_en} />
        </Field>
        <Field label={ts("manager.answer_en")}>
          <textarea name="answer_en" rows={3} maxLength={4000} defaultValue={entry.answer_en} />
        </Field>
        <div class="columns">
          <Field label={ts("manager.category")}>
            <select name="category">
              {CATEGORIES.map((one) => (
                <option key={one} value={one} selected={one === entry.category}>
                  {ts(`category.${one}`)}
                </option>
              ))}
            </select>
          </Field>
          <Field label={ts("manager.store")}>
            <select name="store" key={stores.length}>
              <option value="">{ts("manager.store.all")}</option>
              {stores.map((one) => (
                <option key={one.id} value={one.id} selected={one.id === entry.store}>
                  {storeText(one)}
                </option>
              ))}
            </select>
          </Field>
          <Field label={ts("manager.valid_from")}>
            <input name="valid_from" type="date" defaultValue={entry.valid_from ?? ""} />
          </Field>
          <Field label={ts("manager.valid_to")}>
            <input name="valid_to" type="date" defaultValue={entry.valid_to ?? ""} />
          </Field>
        </div>
        <Field label={ts("manager.source")}>
          <input name="source" maxLength={300} defaultValue={entry.source} />
        </Field>
        <label class="row">
          <input name="sensitive" type="checkbox" defaultChecked={entry.sensitive} /> {ts("manager.sensitive")}
        </label>
        <div class="verdict">
          {problem ? <p class="warning" role="alert">{problem}</p> : null}
          {judged && !lower ? <Foreseen judged={judged} /> : null}
          {lower ? (
            <p class="warning" role="alert">
              {ts("manager.score.lower", { changes: scoreText(lower) })}
            </p>
          ) : null}
          <div class="row">
            <button type="button" disabled={busy} onClick={(event) => look(event.currentTarget.form)}>
              {ts("manager.preview")}
            </button>
            <span class="grow" />
            <button disabled={busy} class={lower ? "danger" : "primary"}>{ts(lower ? "manager.publish.anyway" : "manager.publish")}</button>
          </div>
        </div>
      </form>
    </Dialog>
  );
}

const Field = ({ label, children }: { label: string; children: ComponentChildren }) => (
  <label class="field">
    <span>{label}</span>
    {children}
  </label>
);

/** Which past questions it answers, and what that does to the score. */
function Foreseen({ judged }: { judged: Judged }) {
  return (
    <div role="status">
      <p>
        {ts("manager.covers", { n: judged.answered.length })} {scoreText(judged) || ts("manager.score.same")}
      </p>
      <ul>
        {[...new Set(judged.answered)].map((question) => (
          <li key={question}>{question}</li>
        ))}
      </ul>
    </div>
  );
}

const scoreText = (judged: Judged): string =>
  changes(judged)
    .map(([name, before, after]) => `${ts(`manager.score.${name}`)} ${before} → ${after}`)
    .join(" · ");

function written(form: HTMLFormElement, entry: Entry): Entry {
  const fields = new FormData(form);
  const text = (name: string): string => String(fields.get(name) ?? "").trim();
  return {
    ...entry,
    question: text("question"),
    phrasings: text("phrasings").split("\n").map((one) => one.trim()).filter(Boolean),
    answer: text("answer"),
    question_en: text("question_en"),
    answer_en: text("answer_en"),
    category: text("category") as Category,
    store: text("store") || null,
    valid_from: text("valid_from") || null,
    valid_to: text("valid_to") || null,
    source: text("source"),
    sensitive: fields.get("sensitive") !== null,
  };
}

export const blankEntry = (): Entry => ({
  id: `m-${Date.now().toString(36)}`,
  category: "shopping",
  question: "",
  question_en: "",
  phrasings: [],
  answer: "",
  answer_en: "",
  store: null,
  valid_from: null,
  valid_to: null,
  source: "",
  sensitive: false,
});
