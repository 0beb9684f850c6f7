import "../style/tokens.css";
import "../style/chat.css";
import "../style/call.css";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { CallLine } from "../call";
import { LinkLost } from "../connection";
import { expose } from "../expose";
import { failureText, language, setLanguage, t, useWords } from "../i18n";
import { makeNonce } from "../nonce";
import { Page } from "../page";
import type { MediaKind, Me } from "../protocol.gen";
import type { Upload } from "../outbox";
import type { Entry } from "../reduce";
import type { LiveThread } from "../thread";
import { CallScreen, stateText } from "../ui/call";
import { Chat } from "../ui/chat";
import { LinkNotice } from "../ui/link-notice";
import { Icon } from "../ui/icons";
import { later } from "../ui/later";

const SOON_MS = 5_000;
const Search = later(async () => (await import("../ui/search")).Search);

function Customer({ page, line }: { page: Page; line: CallLine }) {
  const minimised = useState(false); // another language draws everything below anew
  const me = page.me.value;
  const conversation = page.home.value;
  return (
    <main class="chat" key={language.value}>
      {me && conversation ? (
        <Home page={page} line={line} me={me} thread={page.thread(conversation)} minimised={minimised} />
      ) : (
        <>
          <Header page={page} title={t("app.name")} onSearch={null} />
          <LinkNotice page={page} />
        </>
      )}
    </main>
  );
}

interface HomeProps {
  readonly page: Page;
  readonly line: CallLine;
  readonly me: Me;
  readonly thread: LiveThread;
  readonly minimised: readonly [boolean, (to: boolean) => void];
}

function Home({ page, line, me, thread, minimised: [minimised, setMinimised] }: HomeProps) {
  const [searching, setSearching] = useState(false);
  const [found, setFound] = useState<number | null>(null);
  const { phase, media } = line.state.value;
  useEffect(() => {
    if (phase === "opening" || phase === "ended") setMinimised(false);
    if (phase === "ended" && line.state.value.reason === "customer_left") line.dismiss();
  }, [phase]);
  const open = async (seq: number) => {
    setSearching(false);
    await thread.reach(seq).catch(() => undefined); // without a link the notice says so
    setFound(seq);
  };
  const start = (kind: MediaKind) => void line.start(thread.conversation, kind);
  return (
    <>
      <Header page={page} title={whoAnswers(thread)} onSearch={() => setSearching(true)} />
      <p class="ai-notice">{t(thread.view.value.owner === "assistant" ? "ai.notice" : "ai.notice.advisor")}</p>
      <LinkNotice page={page} />
      {phase !== "idle" && minimised ? <CallBar page={page} line={line} onOpen={() => setMinimised(false)} /> : null}
      <Chat
        page={page}
        thread={thread}
        me={me}
        found={found}
        nameOf={nameOf}
        placeholder={t("chat.placeholder")}
        above={<Quick page={page} thread={thread} busy={phase !== "idle"} onCall={start} />}
      />
      {searching ? <Search label={t("chat.search")} conversation={thread.conversation} onOpen={(seq) => void open(seq)} onClose={() => setSearching(false)} /> : null}
      {phase !== "idle" && !minimised ? (
        <CallScreen
          page={page}
          line={line}
          onMinimise={() => setMinimised(true)}
          onAgain={() => (line.dismiss(), start(media))}
        />
      ) : null}
    </>
  );
}

function Header({ page, title, onSearch }: { page: Page; title: string; onSearch: (() => void) | null }) {
  return (
    <header>
      <h1 class="grow">
        {title}
        <span class="soft"> {page.me.value?.name}</span>
      </h1>
      <button type="button" class="bare" onClick={() => void setLanguage(language.value === "zh" ? "en" : "zh")} lang={language.value === "zh" ? "en" : "zh"}>
        {t("chat.language")}
      </button>
      {onSearch ? (
        <button type="button" class="bare" aria-label={t("chat.search")} onClick={onSearch}>
          <Icon name="search" />
        </button>
      ) : null}
    </header>
  );
}

/** What she needs most, in reach of her thumb. */
function Quick(props: { page: Page; thread: LiveThread; busy: boolean; onCall: (media: MediaKind) => void }) {
  const { page, thread } = props;
  const { conversation } = thread;
  const [problem, setProblem] = useState("");
  const person = () =>
    void page.ask({ type: "conversation.act", nonce: makeNonce(), conversation, act: "ask_person" }).then(
      () => setProblem(""),
      (error: unknown) => setProblem(failureText(error)),
    );
  const waiting = thread.view.value.state !== "with_assistant" && thread.view.value.state !== "resolved";
  return (
    <div class="quick">
      {problem ? <p role="alert">{problem}</p> : null}
      <button type="button" disabled={props.busy} aria-label={t("call.voice")} onClick={() => props.onCall("voice")}>
        <Icon name="phone" size={20} /> {t("call.voice.short")}
      </button>
      <button type="button" disabled={props.busy} aria-label={t("call.video")} onClick={() => props.onCall("video")}>
        <Icon name="video" size={20} /> {t("call.video.short")}
      </button>
      <button type="button" disabled={waiting} onClick={person}>
        <Icon name="user-round" size={20} /> {t("chat.person")}
      </button>
    </div>
  );
}

function CallBar({ page, line, onOpen }: { page: Page; line: CallLine; onOpen: () => void }) {
  const call = page.calls.value.get(line.state.value.call ?? "") ?? null;
  return (
    <button type="button" class="call-bar" onClick={onOpen}>
      <Icon name="phone" /> {stateText(line.state.value, call, line.devices.stream)} · {t("call.back")}
    </button>
  );
}

function whoAnswers(thread: LiveThread): string {
  const { owner, entries } = thread.view.value;
  if (owner === "assistant") return t("role.assistant");
  const assigned = entries.findLast((entry) => entry.shape === "divider" && entry.kind === "conversation.assigned");
  const name = assigned ? nameOf(assigned) : "";
  return `${t("role.advisor")} ${name}`;
}

function nameOf(entry: Entry): string {
  if (entry.shape === "divider") return String(entry.data["name"] ?? entry.data["advisor_name"] ?? "");
  return entry.shape === "message" ? t(`role.${entry.role}`) : "";
}

/** Fetched soon after the page is there; not to be had is no link, and is tried again like one. */
const fetchUpload = () =>
  import("../upload").catch(() => {
    throw new LinkLost("upload");
  });
const upload: Upload = async (...asked) => (await fetchUpload()).upload(...asked);

await useWords();
setTimeout(() => void fetchUpload().catch(() => undefined), SOON_MS);
const page = await Page.open(upload);
const line = new CallLine(page);
expose(page, line);
render(<Customer page={page} line={line} />, document.getElementById("app")!);
