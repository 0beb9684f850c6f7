/** Who she is: her babies' ages, her store, how the conversation stands; and how fast each spoken turn was answered. */

import { useEffect, useState } from "preact/hooks";
import { call } from "../api";
import { babyAge, handoffText } from "../i18n";
import type { Page } from "../page";
import type { InboxItem, TurnMeasured } from "../protocol.gen";
import { Icon } from "../ui/icons";
import { ts } from "../words/staff";

export function CustomerCard({ item, page }: { item: InboxItem; page: Page }) {
  const thread = page.thread(item.conversation).view.value;
  return (
    <div class="customer-card">
      <h2>{item.customer_name}</h2>
      <dl>
        <dt>{ts("card.babies")}</dt>
        <dd>
          {item.babies.length === 0 ? ts("card.babies.none") : null}
          {item.babies.map((baby) => (
            <div key={baby.name}>
              <strong>{baby.name}</strong> {babyAge(baby.born_on)} <span class="soft">{ts("card.born", { date: baby.born_on })}</span>
            </div>
          ))}
        </dd>
        <dt>{ts("card.store")}</dt>
        <dd>{item.store_name || item.store}</dd>
        <dt>{ts("card.state")}</dt>
        <dd>{ts(`state.${item.state}`)}</dd>
        {item.assignee_name ? (
          <>
            <dt>{ts("card.assignee")}</dt>
            <dd>{item.assignee_name}</dd>
          </>
        ) : null}
        {item.handoff_reason ? (
          <>
            <dt>{ts("card.reason")}</dt>
            <dd>{handoffText(item.handoff_reason)}</dd>
          </>
        ) : null}
        {thread.redFlag ? (
          <>
            <dt>{ts("alarm.title")}</dt>
            <dd class="failed">
              {thread.redFlag.sign} · {thread.redFlag.action}
            </dd>
          </>
        ) : null}
      </dl>
      <Remembered conversation={item.conversation} state={item.state} />
      <p>
        <a class="soft" href={`/api/v1/conversations/${encodeURIComponent(item.conversation)}/export`} target="_blank" rel="noreferrer">
          <Icon name="download" size={16} /> {ts("card.export")}
        </a>
      </p>
      <Turns turns={page.turns.value.get(item.call ?? "") ?? []} />
    </div>
  );
}

/** What the assistant remembers of the conversation; read again whenever its state changes. */
function Remembered({ conversation, state }: { conversation: string; state: string }) {
  const [text, setText] = useState("");
  useEffect(() => {
    let current = true;
    setText("");
    const path = `/conversations/${encodeURIComponent(conversation)}/summary`;
    call<{ summary: string }>("GET", path).then(
      ({ summary }) => current && setText(summary),
      () => undefined, // the history beside it says the same at greater length
    );
    return () => void (current = false);
  }, [conversation, state]);
  if (!text) return null;
  return (
    <section>
      <h3>{ts("card.summary")}</h3>
      <p class="summary soft">{text}</p>
    </section>
  );
}

function Turns({ turns }: { turns: readonly TurnMeasured[] }) {
  if (!turns.length) return null;
  const longest = Math.max(...turns.map((turn) => turn.response_ms), 1);
  return (
    <section>
      <h3>{ts("turns.title")}</h3>
      <ol class="turns">
        {turns.slice(-8).map((turn) => (
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

function Bar({ parts, longest }: { parts: TurnMeasured["parts_ms"]; longest: number }) {
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
          .map(([name, ms]) => `${name} ${Math.round(ms)}`)
          .join(" · ")}
      </span>
    </>
  );
}
