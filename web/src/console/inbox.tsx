/** Who waits, whom we promised a call, who is mine, whom the assistant or others serve: red flags first, then the longest waiting. */

import { useEffect, useState } from "preact/hooks";
import { babyAge, clockTime, dayName, duration, t } from "../i18n";
import type { Page } from "../page";
import type { InboxItem } from "../protocol.gen";
import { Icon } from "../ui/icons";
import { ts } from "../words/staff";

const GROUPS = ["queue", "callback", "mine", "assistant", "others", "resolved"] as const;
const SHOWN_EMPTY: readonly string[] = ["queue", "mine", "assistant"];
type Group = (typeof GROUPS)[number];
const LONG_WAIT_S = 60;

export function groupOf(item: InboxItem, me: string | undefined): Group {
  if (item.state === "queued") return "queue";
  if (item.callback_at && !item.assignee) return "callback"; // whoever has time calls her
  if (item.state === "resolved") return "resolved";
  if (item.state === "with_assistant") return "assistant";
  return item.assignee === me ? "mine" : "others";
}

const urgency = (item: InboxItem): string =>
  `${item.red_flag ? 0 : 1}${item.call ? 0 : 1}${item.waiting_since ?? item.callback_at ?? "9"}`;

const byUrgency = (a: InboxItem, b: InboxItem): number =>
  urgency(a) === urgency(b) ? (b.last_at ?? "").localeCompare(a.last_at ?? "") : urgency(a) < urgency(b) ? -1 : 1;

interface Props {
  readonly page: Page;
  readonly open: string | null;
  readonly onOpen: (conversation: string) => void;
}

export function InboxList({ page, open, onOpen }: Props) {
  const now = useNow();
  const me = page.me.value?.id;
  const items = [...page.inbox.value.values()].sort(byUrgency);
  return (
    <>
      {GROUPS.map((group) => {
        const here = items.filter((item) => groupOf(item, me) === group);
        if (!here.length && !SHOWN_EMPTY.includes(group)) return null;
        return (
          <section key={group} aria-label={ts(`inbox.${group}`)}>
            <h2>
              {ts(`inbox.${group}`)} <span class="count">{here.length}</span>
            </h2>
            {here.length === 0 ? <p class="soft">{ts("inbox.empty")}</p> : null}
            <ul>
              {here.map((item) => (
                <li key={item.conversation}>
                  <Line item={item} now={now} current={item.conversation === open} onOpen={onOpen} />
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </>
  );
}

interface LineProps {
  readonly item: InboxItem;
  readonly now: number;
  readonly current: boolean;
  readonly onOpen: (conversation: string) => void;
}

function Line({ item, now, current, onOpen }: LineProps) {
  const waited = item.waiting_since ? (now - Date.parse(item.waiting_since)) / 1000 : null;
  const baby = item.babies[0];
  return (
    <button type="button" class="line" aria-current={current} data-conversation={item.conversation} onClick={() => onOpen(item.conversation)}>
      <span class="row">
        <strong class="grow">{item.customer_name}</strong>
        {baby ? <span class="soft">{babyAge(baby.born_on)}</span> : null}
        {item.unread ? (
          <span class="badge" aria-label={ts("inbox.unread", { n: item.unread })}>
            {item.unread > 9 ? "9+" : item.unread}
          </span>
        ) : null}
      </span>
      <span class="row">
        <span class="grow preview">{previewText(item.last_text)}</span>
        <span class="soft">{item.last_at ? clockTime(item.last_at) : ""}</span>
      </span>
      <span class="row tags">
        {item.red_flag ? (
          <span class="tag red">
            <Icon name="triangle-alert" size={14} /> {ts("inbox.red_flag")}
          </span>
        ) : null}
        {item.call ? (
          <span class="tag live">
            <Icon name="phone" size={14} /> {ts("inbox.call")}
          </span>
        ) : null}
        {waited === null ? null : (
          <span class={`tag ${waited > LONG_WAIT_S ? "red" : ""}`}>
            <Icon name="clock" size={14} /> {ts("inbox.waiting", { length: duration(Math.max(0, waited)) })}
          </span>
        )}
        {item.callback_at ? (
          <span class={`tag ${Date.parse(item.callback_at) < now ? "red" : ""}`}>
            <Icon name="phone" size={14} /> {ts("inbox.callback_at", { at: dueText(item.callback_at) })}
          </span>
        ) : null}
        {item.assignee_name ? <span class="tag">{item.assignee_name}</span> : null}
      </span>
    </button>
  );
}

/** The day too: a call is promised for tomorrow as often as for today. */
export const dueText = (at: string): string => `${dayName(at)} ${clockTime(at)}`;

const KINDS: Readonly<Record<string, () => string>> = {
  "[image]": () => t("image.alt"),
  "[file]": () => t("chat.file"),
  "[voice]": () => t("voice.note"),
  "[notice]": () => t("notice.unknown"),
  "[call_record]": () => ts("inbox.called"),
};

/** Kinds without words come as `[image]`. */
function previewText(last: string): string {
  const words = KINDS[last];
  return words ? `[${words()}]` : last;
}

function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const clock = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(clock);
  }, []);
  return now;
}
