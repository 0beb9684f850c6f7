/** The knowledge: find, write, try, import, export, and go back to an earlier version. */

import { useEffect, useRef, useState } from "preact/hooks";
import { clockTime, dayName, t } from "../i18n";
import { problemText } from "../problem";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { faultText, ts } from "../words/staff";
import { bringIn, CATEGORIES, type Entry, type Fault, findEntries, type Imported, rollBack, type Trial, tryOut, type Version, versionsOf, withdraw, wouldLower } from "./api";
import { blankEntry, EntryForm } from "./form";
import { storeText, useStores } from "./stores";

export function KnowledgeView() {
  const [words, setWords] = useState("");
  const [category, setCategory] = useState("");
  const [found, setFound] = useState<{ items: readonly Entry[]; total: number } | null>(null);
  const [open, setOpen] = useState<Entry | null>(null);
  const [history, setHistory] = useState<Entry | null>(null);
  const [problem, setProblem] = useState("");
  const [again, setAgain] = useState(0);
  const stores = useStores((error) => setProblem(problemText(error)));
  const storeName = (id: string): string => {
    const found = stores.find((one) => one.id === id);
    return found ? storeText(found) : id;
  };
  const reload = () => setAgain((n) => n + 1);
  useEffect(() => {
    let asked = true;
    const wait = setTimeout(() => {
      findEntries(words, category).then(
        (entries) => asked && (setFound(entries), setProblem("")),
        (error: unknown) => asked && setProblem(problemText(error)),
      );
    }, 200);
    return () => (clearTimeout(wait), void (asked = false));
  }, [words, category, again]);
  const remove = async (entry: Entry, confirmed = false): Promise<void> => {
    try {
      await withdraw(entry.id, confirmed);
      reload();
    } catch (error) {
      const ask = wouldLower(error) && confirm(ts("manager.withdraw.lower"));
      if (ask) return remove(entry, true);
      if (!wouldLower(error)) setProblem(problemText(error));
    }
  };

  return (
    <>
      <div class="row tools">
        <input type="search" class="grow" value={words} aria-label={ts("manager.search")} placeholder={ts("manager.search")} onInput={(event) => setWords(event.currentTarget.value)} />
        <select aria-label={ts("manager.category")} value={category} onChange={(event) => setCategory(event.currentTarget.value)}>
          <option value="">{ts("manager.all")}</option>
          {CATEGORIES.map((one) => (
            <option key={one} value={one}>
              {ts(`category.${one}`)}
            </option>
          ))}
        </select>
        <button type="button" class="primary" onClick={() => setOpen(blankEntry())}>
          <Icon name="plus" size={18} /> {ts("manager.new")}
        </button>
      </div>
      <Exchange onDone={reload} />
      <TryOut />
      {problem ? <p class="warning" role="alert">{problem}</p> : null}
      <p class="soft" role="status">
        {found ? ts("manager.total", { n: found.total }) : ""}
      </p>
      <ul class="entries">
        {found?.items.map((entry) => (
          <li key={entry.id}>
            <div class="grow">
              <strong>{entry.question}</strong> <span class="tag">{ts(`category.${entry.category}`)}</span>
              {entry.store ? <span class="tag">{storeName(entry.store)}</span> : null}
              {isOver(entry) ? <span class="tag red">{ts("manager.expired")}</span> : null}
              <p>{entry.answer}</p>
            </div>
            <button type="button" class="small" onClick={() => setOpen(entry)}>
              <Icon name="pencil" size={16} /> {ts("manager.edit")}
            </button>
            <button type="button" class="small" onClick={() => setHistory(entry)}>
              {ts("manager.versions")}
            </button>
            <button type="button" class="small" onClick={() => void remove(entry)}>
              <Icon name="trash-2" size={16} /> {ts("manager.withdraw")}
            </button>
          </li>
        ))}
      </ul>
      {open ? <EntryForm entry={open} cluster={null} onClose={() => setOpen(null)} onDone={() => (setOpen(null), reload())} /> : null}
      {history ? <Versions entry={history} onClose={() => setHistory(null)} onDone={() => (setHistory(null), reload())} /> : null}
    </>
  );
}

const isOver = (entry: Entry): boolean => entry.valid_to !== null && entry.valid_to < new Date().toISOString().slice(0, 10);

function Exchange({ onDone }: { onDone: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [report, setReport] = useState<Imported | null>(null);
  const [problem, setProblem] = useState("");
  const take = async (file: File | undefined, confirmed = false): Promise<void> => {
    if (!file) return;
    try {
      setProblem("");
      setReport(null);
      setReport(await bringIn(file, confirmed)); // judged by all golden questions: seconds
      onDone();
    } catch (error) {
      if (!wouldLower(error)) return setProblem(problemText(error));
      if (confirm(ts("manager.import.lower"))) return take(file, true);
    }
  };
  return (
    <div class="row tools">
      <button type="button" class="small" onClick={() => field.current?.click()}>
        {ts("manager.import")}
      </button>
      <input
        ref={field}
        type="file"
        hidden
        accept=".csv,.json"
        aria-label={ts("manager.import")}
        onChange={(event) => {
          void take(event.currentTarget.files?.[0]);
          event.currentTarget.value = ""; // the same file, mended, is a change again
        }}
      />
      <a href="/api/v1/knowledge/export?format=csv" download>
        {ts("manager.export.csv")}
      </a>
      <a href="/api/v1/knowledge/export?format=json" download>
        {ts("manager.export.json")}
      </a>
      {problem ? <p class="warning" role="alert">{problem}</p> : null}
      {report ? (
        <details open={report.faults.length > 0}>
          <summary role="status">{ts("manager.imported", { ok: report.published, same: report.same, bad: report.faults.length })}</summary>
          <ul>
            {report.faults.map((fault) => (
              <li key={`${fault.row}-${fault.field}`}>{rowText(fault)}</li>
            ))}
          </ul>
        </details>
      ) : null}
    </div>
  );
}

/** Rows are counted without a header: a spreadsheet's line is the next one, so the id is named too. */
function rowText({ row, id, field, code, why }: Fault): string {
  const what = faultText(code, why);
  if (!row) return ts("manager.file", { why: what });
  return ts("manager.row", { row, id: id ? ` (${id})` : "", why: field === "row" ? what : `${field} ${what}` });
}

function TryOut() {
  const [trial, setTrial] = useState<Trial | null>(null);
  const [problem, setProblem] = useState("");
  const ask = async (event: SubmitEvent) => {
    event.preventDefault();
    const question = String(new FormData(event.currentTarget as HTMLFormElement).get("question") ?? "").trim();
    if (!question) return;
    try {
      setProblem("");
      setTrial(await tryOut(question));
    } catch (error) {
      setTrial(null);
      setProblem(problemText(error));
    }
  };
  return (
    <form class="row tools" onSubmit={(event) => void ask(event)}>
      <input name="question" class="grow" aria-label={ts("manager.try")} placeholder={ts("manager.try")} maxLength={1000} />
      <button>{ts("manager.try.go")}</button>
      {problem ? <p class="warning" role="alert">{problem}</p> : null}
      {trial ? (
        <p role="status" class="trial">
          <strong>{ts(`manager.decision.${trial.decision}`)}</strong>{" "}
          {trial.top.map((one) => `${one.question} ${(one.confidence * 100).toFixed(0)}%`).join(" · ")}{" "}
          <small>{ts(`manager.vectors.${trial.vectors}`)}</small>
        </p>
      ) : null}
    </form>
  );
}

function Versions({ entry, onClose, onDone }: { entry: Entry; onClose: () => void; onDone: () => void }) {
  const [versions, setVersions] = useState<readonly Version[]>([]);
  const [problem, setProblem] = useState("");
  const failed = (error: unknown) => setProblem(problemText(error));
  useEffect(() => void versionsOf(entry.id).then(setVersions, failed), [entry.id]);
  const back = async (version: number, confirmed = false): Promise<void> => {
    try {
      await rollBack(entry.id, version, confirmed);
      onDone();
    } catch (error) {
      if (!wouldLower(error)) return failed(error);
      if (confirm(ts("manager.rollback.lower"))) return back(version, true);
    }
  };
  return (
    <Dialog label={`${ts("manager.versions")} · ${entry.question}`} onClose={onClose} class="wide">
      {problem ? <p class="warning" role="alert">{problem}</p> : null}
      <ol class="entries">
        {versions.map((one, nth) => (
          <li key={one.version}>
            <div class="grow">
              <strong>#{one.version}</strong> <span class="soft">{dayName(one.at)} {clockTime(one.at)} · {one.name ?? one.by}</span>
              <p>{one.content.answer}</p>
            </div>
            {nth === 0 ? null : (
              <button type="button" class="small" onClick={() => void back(one.version)}>
                {ts("manager.rollback", { n: one.version })}
              </button>
            )}
          </li>
        ))}
      </ol>
      {versions.length === 0 && !problem ? <p class="soft">{t("link.connecting")}</p> : null}
    </Dialog>
  );
}
