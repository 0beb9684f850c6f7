/** What the assistant could not answer, or what was complained about, in clusters: write the answer once for all of them, or set them aside. */

import { useEffect, useState } from "preact/hooks";
import { dayName } from "../i18n";
import { problemText } from "../problem";
import { ts } from "../words/staff";
import { type Cluster, clusters, dismiss, type Entry } from "./api";
import { blankEntry, EntryForm } from "./form";

export function UnansweredView() {
  const [found, setFound] = useState<readonly Cluster[] | null>(null);
  const [open, setOpen] = useState<Cluster | null>(null);
  const [problem, setProblem] = useState("");
  const failed = (error: unknown) => setProblem(problemText(error));
  const load = () => void clusters().then(setFound, failed);
  useEffect(load, []);
  return (
    <>
      {problem ? <p class="warning" role="alert">{problem}</p> : null}
      {found?.length === 0 ? <p class="soft">{ts("manager.none")}</p> : null}
      <ul class="entries">
        {found?.map((one) => (
          <li key={one.cluster}>
            <div class="grow">
              <strong>{one.questions[0]}</strong> <span class="tag">{ts("manager.cluster", { n: one.size })}</span>
              {Object.keys(one.why).map((why) => (
                <span key={why} class={`tag ${why === "complaint" ? "red" : ""}`}>
                  {whyText(why)}
                </span>
              ))}
              <span class="soft"> {dayName(one.last_at)}</span>{" "}
              <a href={linkTo(one)}>{ts("manager.conversation")}</a>
              {one.complaints.map((complaint) => (
                <p key={linkTo(complaint)} class="failed">
                  {ts("manager.complaint.due")}：{complaint.comment || ts("manager.complaint.bare")} <a href={linkTo(complaint)}>{ts("manager.conversation")}</a>
                </p>
              ))}
              <p class="soft">{one.questions.slice(1, 5).join(" / ")}</p>
              {one.draft ? <p>{ts("manager.draft", { text: one.draft })}</p> : null}
            </div>
            <button type="button" class="small primary" onClick={() => setOpen(one)}>
              {ts("manager.write")}
            </button>
            <button type="button" class="small" onClick={() => void dismiss(one.cluster).then(load, failed)}>
              {ts("manager.dismiss")}
            </button>
          </li>
        ))}
      </ul>
      {open ? (
        <EntryForm entry={proposed(open)} cluster={open.cluster} onClose={() => setOpen(null)} onDone={() => (setOpen(null), load())} />
      ) : null}
    </>
  );
}

/** Her words as the question, what an advisor answered as a draft. */
const proposed = (cluster: Cluster): Entry => ({
  ...blankEntry(),
  question: (cluster.questions[0] ?? "").slice(0, 300),
  phrasings: cluster.questions.slice(1),
  answer: cluster.draft,
});

const linkTo = ({ conversation, seq }: { readonly conversation: string; readonly seq: number }): string => `/console#${conversation}@${seq}`;

function whyText(why: string): string {
  const known = ["miss", "low_confidence", "thumbs_down", "handoff", "complaint"] as const;
  const key = known.find((one) => one === why);
  return key ? ts(`why.${key}`) : why;
}
