import "../style/tokens.css";
import "../style/chat.css";
import "../style/call.css";
import "../style/console.css";
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { CallLine } from "../call";
import { expose } from "../expose";
import { language, setLanguage, t, useWords } from "../i18n";
import { Page } from "../page";
import { Alarms } from "../ui/alarms";
import { Timer } from "../ui/call";
import { LinkNotice } from "../ui/link-notice";
import { Icon } from "../ui/icons";
import { Search } from "../ui/search";
import { upload } from "../upload";
import { CustomerCard } from "./card";
import { Desk } from "./desk";
import { InboxList } from "./inbox";
import { Mine } from "./live";
import { ts } from "../words/staff";

function Console({ page, line }: { page: Page; line: CallLine }) {
  const [[linked, linkedAt]] = useState(() => location.hash.slice(1).split("@"));
  const [open, setOpen] = useState<string | null>(linked || null);
  const me = page.me.value;
  const { phase, since, conversation: called } = line.state.value;
  const own = phase === "opening" || phase === "running" ? called : null;
  useFollowed(page, open, own);
  const [searching, setSearching] = useState(false);
  const [at, setAt] = useState<number | null>(Number(linkedAt) || null);
  const choose = (conversation: string | null, seq: number | null = null) => {
    setAt(seq);
    setSearching(false);
    history.replaceState(null, "", conversation ? `#${conversation}` : location.pathname);
    setOpen(conversation);
  };
  const item = page.inbox.value.get(open ?? "");
  return (
    <div class={`console ${open ? "reading" : "listing"}`} key={language.value}>
      <header class="top">
        <h1 class="grow">{ts("app.console")}</h1>
        <span class="soft">{me?.name}</span>
        <button type="button" class="bare" aria-label={ts("inbox.search")} title={ts("inbox.search")} onClick={() => setSearching(true)}>
          <Icon name="search" />
        </button>
        {me?.role === "manager" ? (
          <a class="soft" href="/manager">
            {ts("app.manager")}
          </a>
        ) : null}
        <button type="button" class="bare" onClick={() => void setLanguage(language.value === "zh" ? "en" : "zh")}>
          {t("chat.language")}
        </button>
      </header>
      <Alarms page={page} onOpen={choose} />
      <LinkNotice page={page} />
      {own && own !== open ? (
        <p class="call-elsewhere row" role="status">
          <Icon name="phone" />
          <button type="button" class="bare grow" onClick={() => choose(own)}>
            {page.inbox.value.get(own)?.customer_name} · {t("call.back")}
          </button>
          <Timer since={since} />
          <Mine line={line} />
        </p>
      ) : null}
      <nav class="pane inbox" aria-label={ts("inbox.title")}>
        <InboxList page={page} open={open} onOpen={choose} />
      </nav>
      <main class="pane">
        {me && open ? (
          <Following key={open} page={page} line={line} conversation={open} onBack={() => choose(null)} at={at} />
        ) : (
          <p class="empty">
            <Icon name="message-square" size={36} />
            <br />
            {ts("inbox.choose")}
          </p>
        )}
      </main>
      <aside class="pane" aria-label={ts("card.title")}>
        {item ? <CustomerCard item={item} page={page} /> : null}
      </aside>
      {searching ? (
        <Search label={ts("inbox.search")} conversation={null} onOpen={(seq, conversation) => choose(conversation, seq)} onClose={() => setSearching(false)} />
      ) : null}
    </div>
  );
}

/** The open conversation is followed, and that of our own call: whatever is neither any more is left. */
function useFollowed(page: Page, ...wanted: (string | null)[]): void {
  const before = useRef<typeof wanted>([]);
  useEffect(() => {
    before.current.forEach((one) => one && !wanted.includes(one) && page.leave(one));
    before.current = wanted;
  }, wanted);
}

/** Follows the conversation as long as it is open. */
function Following(props: { page: Page; line: CallLine; conversation: string; onBack: () => void; at: number | null }) {
  const { page, conversation } = props;
  const thread = page.thread(conversation);
  useEffect(() => void page.follow(conversation).catch(() => undefined), [conversation]);
  return <Desk {...props} thread={thread} />;
}

await useWords();
const page = await Page.open(upload, true);
const line = new CallLine(page);
expose(page, line);
render(<Console page={page} line={line} />, document.getElementById("app")!);
