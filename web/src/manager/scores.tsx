/** How the golden questions are answered, over time. */

import { useEffect, useState } from "preact/hooks";
import { dayName } from "../i18n";
import { problemText } from "../problem";
import { type StaffKey, ts } from "../words/staff";
import { GoldenList } from "./golden";
import { measure, type Score, scores } from "./api";

const WIDTH = 600;
const HEIGHT = 200;
const LINES = [
  ["top1", "manager.score.right"],
  ["coverage_at_95", "manager.score.coverage"],
  ["answered_wrong", "manager.score.wrong"],
] as const satisfies readonly (readonly [string, StaffKey])[];

export function ScoresView() {
  const [rows, setRows] = useState<readonly Score[] | null>(null);
  const [problem, setProblem] = useState("");
  const failed = (error: unknown) => setProblem(problemText(error));
  const load = () => void scores().then(setRows, failed);
  useEffect(load, []);
  const last = rows?.at(-1);
  return (
    <>
      <div class="row tools">
        <button type="button" onClick={() => void measure().then(load, failed)}>
          {ts("manager.measure")}
        </button>
      </div>
      {problem ? <p class="warning" role="alert">{problem}</p> : null}
      {rows?.length === 0 ? <p class="soft">{ts("manager.score.none")}</p> : null}
      {last ? (
        <>
          <dl class="figures">
            {LINES.map(([name, key], nth) => (
              <div key={name}>
                <dt>
                  <span class={`line-${nth}`} aria-hidden="true">
                    ●
                  </span>{" "}
                  {ts(key)}
                </dt>
                <dd>{(share(last, name) * 100).toFixed(1)}%</dd>
              </div>
            ))}
          </dl>
          <svg class="trend" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={ts("manager.scores")}>
            {[0, 0.25, 0.5, 0.75, 1].map((level) => (
              <g key={level}>
                <line x1="0" x2={WIDTH} y1={y(level)} y2={y(level)} />
                <text x={WIDTH - 2} y={y(level) + (level === 1 ? 9 : -2)} text-anchor="end">
                  {level * 100}%
                </text>
              </g>
            ))}
            {LINES.map(([name], nth) => (
              <polyline key={name} class={`line-${nth}`} points={points(rows ?? [], name)} />
            ))}
          </svg>
          <p class="soft">
            {dayName(rows?.[0]?.at ?? last.at)} – {dayName(last.at)}
          </p>
        </>
      ) : null}
      <GoldenList />
    </>
  );
}

/** Shares 0..1; wrong answers come as a count. */
const share = ({ totals }: Score, name: string): number =>
  name === "answered_wrong" ? (totals[name] ?? 0) / (totals["asked"] || Infinity) : (totals[name] ?? 0);

const y = (value: number): number => 4 + (HEIGHT - 8) * (1 - value);

/** A first score, alone, is a level line: a single point would not be seen. */
function points(rows: readonly Score[], name: string): string {
  const drawn = rows.length === 1 ? [...rows, ...rows] : rows;
  const step = WIDTH / (drawn.length - 1);
  return drawn.map((row, at) => `${(at * step).toFixed(1)},${y(share(row, name)).toFixed(1)}`).join(" ");
}
