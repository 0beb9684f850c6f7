/** The call in numbers: how fast each spoken turn was answered, and how well each party is on the line. Live while it
 * runs; otherwise the last call's, from the gateway. */

import { useEffect, useState } from "preact/hooks";
import { call } from "../api";
import type { Lines, Page } from "../page";
import type { InboxItem, LineQuality, TurnMeasured } from "../protocol.gen";
import { ts } from "../words/staff";

type Timed = Pick<TurnMeasured, "turn" | "parts_ms" | "response_ms">;
interface Kept {
  readonly call: string;
  readonly turns: readonly Timed[];
  readonly lines: Lines;
}

const SHOWN = 8;
/** Steps of an answer as the gateway names them (media/stats.py). */
const PARTS = {
  endpointing: "part.endpointing",
  transcription: "part.transcription",
  first_token: "part.first_token",
  first_audio: "part.first_audio",
  playout: "part.playout",
} as const;
const isPart = (name: string): name is keyof typeof PARTS => Object.hasOwn(PARTS, name);
/** Below this speech is hard work (G.107 annex B: "many users dissatisfied"). */
const POOR_MOS = 3.6;

export function Numbers({ item, page }: { item: InboxItem; page: Page }) {
  const kept = useKept(item.conversation, item.call ?? "");
  const running = item.call ?? "";
  const before = kept && (!running || kept.call === running) ? kept : null;
  const live = page.turns.value.get(running) ?? [];
  const turns = [...(before?.turns ?? []).filter((turn) => !live.some((one) => one.turn === turn.turn)), ...live];
  const lines = page.lines.value.get(running) ?? before?.lines ?? {};
  return (
    <>
      <Turns turns={turns} />
      <LineTable lines={lines} />
    </>
  );
}

/** The last call as the gateway keeps it; read again when a call begins or ends. */
function useKept(conversation: string, running: string): Kept | null {
  const [kept, setKept] = useState<Kept | null>(null);
  useEffect(() => {
    let current = true;
    setKept(null);
    call<{ calls: readonly Kept[] }>("GET", `/conversations/${encodeURIComponent(conversation)}/calls`).then(
      ({ calls }) => current && setKept(calls[0] ?? null),
      () => undefined, // numbers are no reason to disturb anybody
    );
    return () => void (current = false);
  }, [conversation, running]);
  return kept;
}

function Turns({ turns }: { turns: readonly Timed[] }) {
  if (!turns.length) return null;
  const longest = Math.max(...turns.map((turn) => turn.response_ms), 1);
  return (
    <section>
      <h3>{ts("turns.title")}</h3>
      <ol class="turns">
        {turns.slice(-SHOWN).map((turn) => (
          <li key={turn.turn}>
            <span class="soft">
              #{turn.turn} {ts("turns.response", { ms: Math.round(turn.response_ms) })}
            </span>
            <Bar parts={turn.parts_ms} longest={longest} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Bar({ parts, longest }: { parts: Timed["parts_ms"]; longest: number }) {
  let at = 0;
  return (
    <>
      <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        {Object.entries(parts).map(([name, ms], nth) => {
          const x = (at / longest) * 100;
          at += ms;
          return <rect key={name} class={`part-${nth % 5}`} x={x} y="0" width={(ms / longest) * 100} height="8" />;
        })}
      </svg>
      <span class="soft">
        {Object.entries(parts)
          .map(([name, ms]) => `${isPart(name) ? ts(PARTS[name]) : name} ${Math.round(ms)}`)
          .join(" · ")}
      </span>
    </>
  );
}

function LineTable({ lines }: { lines: Lines }) {
  const rows = (["customer", "advisor"] as const).flatMap((party) =>
    (["up", "down", "page"] as const).flatMap((end) => {
      const line = lines[party]?.[end];
      return line ? [{ party, end, line }] : [];
    }),
  );
  if (!rows.length) return null;
  return (
    <section>
      <h3>{ts("line.title")}</h3>
      <table class="lines">
        <thead>
          <tr>
            <th />
            <th title={ts("line.mos.why")}>MOS</th>
            <th>{ts("line.loss")}</th>
            <th>{ts("line.jitter")}</th>
            <th>{ts("line.rtt")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ party, end, line }) => (
            <tr key={`${party} ${end}`}>
              <th title={ts(`line.${end}.why`)}>
                {ts(`line.${party}`)} {ts(`line.${end}`)}
              </th>
              <Cells line={line} />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Cells({ line }: { line: LineQuality }) {
  const rtt = line.rtt_ms;
  return (
    <>
      <td class={line.mos < POOR_MOS ? "failed" : ""}>{line.mos.toFixed(1)}</td>
      <td>{(line.loss * 100).toFixed(1)} %</td>
      <td>{Math.round(line.jitter_ms)} ms</td>
      <td>{typeof rtt === "number" ? `${Math.round(rtt)} ms` : "–"}</td>
    </>
  );
}
