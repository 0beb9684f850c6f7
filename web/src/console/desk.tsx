/** The open conversation: decisions on it, its running call, its history, and writing into it. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { CallLine } from "../call";
import { RefusedError } from "../connection";
import { errorText, failureText, t } from "../i18n";
import { makeNonce } from "../nonce";
import { textBody } from "../outbox";
import type { Page } from "../page";
import type { ConversationAct, InboxItem, Me } from "../protocol.gen";
import type { Entry, Message } from "../reduce";
import type { LiveThread } from "../thread";
import { Chat } from "../ui/chat";
import { Icon, type IconName } from "../ui/icons";
import { Search } from "../ui/search";
import { Canned } from "./canned";
import { DraftWarning, useDraftCheck } from "./draft";
import { LiveCall } from "./live";
import { ts } from "../words/staff";

interface Props {
  readonly page: Page;
  readonly line: CallLine;
  readonly thread: LiveThread;
  readonly conversation: string;
  readonly onBack: () => void;
  /** Opened at this message, for it was searched for. */
  readonly at?: number | null;
}

type Act = ConversationAct["act"];

export function Desk({ page, line, thread, conversation, onBack, at }: Props) {
  const me = page.me.value;
  const item = page.inbox.value.get(conversation);
  const [noting, setNoting] = useState(false);
  const [problem, setProblem] = useState("");
  const [found, setFound] = useState<number | null>(null);
  const [searching, setSearching] = useState(false);
  const [insert, setInsert] = useState("");
  const draft = useDraftCheck();
  const here = useRef(true);
  useEffect(() => () => void (here.current = false), []);
  if (!me) return null;

  const ask = (message: Parameters<Page["ask"]>[0]) =>
    void page.ask(message).then(
      () => setProblem(""),
      (error: unknown) =>
        setProblem(ts("act.failed", { why: error instanceof RefusedError ? errorText(error.code) : t("error.unavailable") })),
    );
  const act = (what: Act) => ask({ type: "conversation.act", nonce: makeNonce(), conversation, act: what });
  const reply = (text: string) => void page.outbox.send(me.id, conversation, textBody(text));
  /** Into the composer, or into the draft once another conversation is open; the same text twice is still a change. */
  const putBack = (text: string) => {
    if (!here.current) return void page.keep.setDraft(`${me.id}:${conversation}`, text);
    setInsert("");
    setTimeout(() => setInsert(text));
  };
  const note = (text: string) => ask({ type: "note.add", nonce: makeNonce(), conversation, text });
  const open = async (seq: number) => {
    setSearching(false);
    try {
      await thread.reach(seq);
      setFound(seq);
    } catch (error) {
      setProblem(failureText(error));
    }
  };

  const loaded = thread.loaded.value;
  useEffect(() => void (at && loaded && open(at)), [at, loaded]);

  return (
    <div class="chat">
      <header>
        <button type="button" class="bare back" aria-label={ts("inbox.back")} onClick={onBack}>
          <Icon name="chevron-left" />
        </button>
        <h2 class="grow">
          {item?.customer_name} <span class="soft">{ts(`state.${thread.view.value.state}`)}</span>
        </h2>
        <Acts thread={thread} item={item} me={me} calling={line.inCall} onAct={act} />
        <button type="button" class="bare" aria-label={t("chat.search")} onClick={() => setSearching(true)}>
          <Icon name="search" />
        </button>
      </header>
      {problem ? (
        <p class="link-notice" role="alert">
          {problem}
        </p>
      ) : null}
      <LiveCall page={page} line={line} conversation={conversation} item={item} />
      <Chat
        page={page}
        thread={thread}
        me={me}
        found={found}
        insert={insert}
        footnote={judgement}
        nameOf={(entry) => nameOf(entry, me.id, me.name, item)}
        placeholder={ts(noting ? "chat.placeholder.note" : "chat.placeholder.advisor")}
        composerClass={noting ? "noting" : ""}
        onDraft={(text) => draft.check(noting ? "" : text)}
        onText={noting ? note : draft.guard(reply, putBack)}
        files={!noting}
        above={
          <>
            <DraftWarning draft={draft} />
            <div class="quick tabs">
              <Tab on={!noting} icon="message-square" label={ts("act.reply")} onClick={() => setNoting(false)} />
              <Tab on={noting} icon="pencil" label={ts("act.note")} onClick={() => setNoting(true)} />
              <Canned onPick={putBack} />
            </div>
          </>
        }
      />
      {searching ? <Search label={t("chat.search")} conversation={conversation} onOpen={(seq) => void open(seq)} onClose={() => setSearching(false)} /> : null}
    </div>
  );
}

/** What she thinks of an answer. */
const judgement = ({ feedback, comment }: Message) =>
  feedback ? (
    <span class={feedback === "up" ? "" : "failed"}>
      {ts(`feedback.${feedback}`)} {comment ? `“${comment}”` : ""}
    </span>
  ) : null;

function Tab(props: { on: boolean; icon: IconName; label: string; onClick: () => void }) {
  return (
    <button type="button" class="small" aria-pressed={props.on} onClick={props.onClick}>
      <Icon name={props.icon} size={16} /> {props.label}
    </button>
  );
}

interface ActsProps {
  readonly thread: LiveThread;
  readonly item: InboxItem | undefined;
  readonly me: Me;
  /** A call of one's own is handed back or hung up before the conversation is. */
  readonly calling: boolean;
  readonly onAct: (act: Act) => void;
}

/** Only what may be done now. */
function Acts({ thread, item, me, calling, onAct }: ActsProps) {
  const { state, assignee, redFlag } = thread.view.value;
  const flagged = Boolean(redFlag ?? item?.red_flag); // nothing is resolved while it stands
  const mine = state !== "with_assistant" && state !== "queued" && state !== "resolved" && assignee === me.id;
  const others = state === "assigned" && !mine && me.role !== "manager"; // who was first has her
  const may: readonly (readonly [boolean, Act, string])[] = [
    [!mine && !others && (state !== "resolved" || Boolean(item?.callback_at)), "accept", "primary"],
    [mine && !calling, "hand_back", ""],
    [mine && !calling && !flagged, "resolve", ""],
    [flagged, "clear_red_flag", ""],
  ];
  return (
    <>
      {may
        .filter(([allowed]) => allowed)
        .map(([, act, look]) => (
          <button key={act} type="button" class={`small ${look}`} onClick={() => onAct(act)}>
            {ts(`act.${act}` as "act.accept")}
          </button>
        ))}
    </>
  );
}

function nameOf(entry: Entry, me: string, myName: string, item: InboxItem | undefined): string {
  if (entry.shape === "divider") return String(entry.data["name"] ?? (entry.data["advisor"] === me ? myName : (item?.assignee_name ?? "")));
  if (entry.sender === me) return myName;
  if (entry.shape === "message" && entry.role === "customer") return item?.customer_name ?? t("role.customer");
  if (entry.shape === "message" && (entry.role === "assistant" || entry.role === "system")) return t(`role.${entry.role}`);
  return entry.sender === item?.assignee ? (item.assignee_name ?? t("role.advisor")) : t("role.advisor");
}
