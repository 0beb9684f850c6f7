/** Who she is: her babies' ages, her store, how the conversation stands. */

import { useEffect, useState } from "preact/hooks";
import { call } from "../api";
import { babyAge, handoffText } from "../i18n";
import type { Page } from "../page";
import type { InboxItem } from "../protocol.gen";
import { Export } from "../ui/search";
import { actionText, signText, ts } from "../words/staff";
import { dueText } from "./inbox";
import { Numbers } from "./numbers";

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
        {item.callback_at ? (
          <>
            <dt>{ts("inbox.callback")}</dt>
            <dd>
              {dueText(item.callback_at)}
              {item.callback_words ? <div class="soft summary">{item.callback_words}</div> : null}
            </dd>
          </>
        ) : null}
        {thread.redFlag ? (
          <>
            <dt>{ts("alarm.title")}</dt>
            <dd class="failed">
              {signText(thread.redFlag.sign)} · {actionText(thread.redFlag.action)}
            </dd>
          </>
        ) : null}
      </dl>
      <Remembered conversation={item.conversation} state={item.state} />
      <Export conversation={item.conversation} />
      <Numbers item={item} page={page} />
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
