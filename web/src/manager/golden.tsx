/** The golden questions: what the score is measured with. Found, added and dropped here. */

import { useEffect, useState } from "preact/hooks";
import { problemText } from "../problem";
import { ts } from "../words/staff";
import { addGolden, dropGolden, type Golden, goldenQuestions } from "./api";

const SHOWN = 50;

export function GoldenList() {
  const [found, setFound] = useState<readonly Golden[]>([]);
  const [question, setQuestion] = useState("");
  const [expect, setExpect] = useState("");
  const [problem, setProblem] = useState("");
  const failed = (error: unknown) => setProblem(problemText(error));
  const load = () => void goldenQuestions().then(setFound, failed);
  useEffect(load, []);
  const add = (event: Event) => {
    event.preventDefault();
    setProblem("");
    void addGolden(question.trim(), expect.trim()).then(() => (setQuestion(""), setExpect(""), load()), failed);
  };
  const fits = found.filter((one) => one.question.includes(question.trim()) && (one.expect ?? "").includes(expect.trim()));
  return (
    <section class="golden">
      <h2>{ts("manager.golden")}</h2>
      <form class="row tools" onSubmit={add}>
        <input
          class="grow"
          required
          maxLength={1000}
          value={question}
          placeholder={ts("manager.golden.question")}
          aria-label={ts("manager.golden.question")}
          onInput={(event) => setQuestion(event.currentTarget.value)}
        />
        <input
          class="grow"
          maxLength={60}
          value={expect}
          placeholder={ts("manager.golden.expect")}
          aria-label={ts("manager.golden.expect")}
          onInput={(event) => setExpect(event.currentTarget.value)}
        />
        <button type="submit">{ts("manager.golden.add")}</button>
      </form>
      {problem ? <p class="warning" role="alert">{problem}</p> : null}
      <p class="soft">{ts("manager.total", { n: fits.length })}</p>
      <ul class="entries">
        {fits.slice(0, SHOWN).map((one) => (
          <li key={one.id}>
            <span class="grow">
              {one.question} <span class="tag">{one.expect ?? ts("manager.golden.nothing")}</span>
            </span>
            <button type="button" class="small" onClick={() => void dropGolden(one.id).then(load, failed)}>
              {ts("manager.golden.drop")}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
