/** For which matters, and up to which age, a store wants a person instead of the assistant. */

import { useEffect, useState } from "preact/hooks";
import { problemText } from "../problem";
import { ts } from "../words/staff";
import { keepRules, type Rule, rulesOf, MATTERS } from "./api";
import { storeText, useStores } from "./stores";

export function RulesView() {
  const [problem, setProblem] = useState("");
  const failed = (error: unknown) => setProblem(problemText(error));
  const stores = useStores(failed);
  const [chosen, setChosen] = useState("");
  const store = chosen || (stores[0]?.id ?? "");
  const [rules, setRules] = useState<readonly Rule[] | null>(null);
  const [saved, setSaved] = useState(false);
  useEffect(() => {
    let asked = true;
    setRules(null);
    setSaved(false);
    if (store) void rulesOf(store).then((found) => asked && setRules(found), failed);
    return () => void (asked = false);
  }, [store]);
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const wanted = written(event.currentTarget as HTMLFormElement);
    setProblem("");
    setSaved(false);
    void keepRules(store, wanted).then(() => setSaved(true), failed);
  };

  return (
    <>
      <p class="soft">{ts("manager.rules.what")}</p>
      <div class="row tools">
        <select aria-label={ts("manager.rules.store")} value={store} onChange={(event) => setChosen(event.currentTarget.value)}>
          {stores.map((one) => (
            <option key={one.id} value={one.id}>
              {storeText(one)}
            </option>
          ))}
        </select>
      </div>
      {rules ? (
        <form class="rules" key={store} onSubmit={save} onInput={() => setSaved(false)}>
          <ul class="entries">
            {MATTERS.map((matter) => {
              const rule = rules.find((one) => one.matter === matter);
              return (
                <li key={matter}>
                  <label class="row grow">
                    <input name={matter} type="checkbox" defaultChecked={rule !== undefined} /> {ts(`matter.${matter}`)}
                  </label>
                  <label class="row">
                    {ts("manager.rules.under")}
                    <input name={`${matter}-days`} type="number" min={1} max={40000} defaultValue={rule?.under_days?.toString() ?? ""} />
                  </label>
                </li>
              );
            })}
          </ul>
          <div class="row">
            <button class="primary">{ts("manager.rules.save")}</button>
            {saved ? <span role="status">{ts("manager.rules.saved")}</span> : null}
          </div>
        </form>
      ) : null}
      {problem ? <p class="warning" role="alert">{problem}</p> : null}
    </>
  );
}

function written(form: HTMLFormElement): readonly Rule[] {
  const fields = new FormData(form);
  return MATTERS.filter((matter) => fields.get(matter) !== null).map((matter) => {
    const days = Number(fields.get(`${matter}-days`));
    return days ? { matter, under_days: days } : { matter };
  });
}
