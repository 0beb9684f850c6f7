import "../style/tokens.css";
import "../style/chat.css";
import "../style/console.css";
import "../style/manager.css";
import { render } from "preact";
import { useState } from "preact/hooks";
import { InboxList } from "../console/inbox";
import { language, setLanguage, t, useWords } from "../i18n";
import { Page } from "../page";
import { Alarms } from "../ui/alarms";
import { LinkNotice } from "../ui/link-notice";
import { upload } from "../upload";
import { ts } from "../words/staff";
import { KnowledgeView } from "./knowledge";
import { RulesView } from "./rules";
import { ScoresView } from "./scores";
import { UnansweredView } from "./unanswered";

const TABS = ["knowledge", "unanswered", "scores", "rules", "inbox"] as const;
type Tab = (typeof TABS)[number];

function Manage({ page }: { page: Page }) {
  const [tab, setTab] = useState<Tab>(TABS.find((one) => location.hash === `#${one}`) ?? "knowledge");
  const open = (conversation: string) => location.assign(`/console#${conversation}`);
  const choose = (one: Tab) => {
    history.replaceState(null, "", `#${one}`);
    setTab(one);
  };
  return (
    <div class="manage" key={language.value}>
      <header class="top">
        <h1 class="grow">{ts("app.manager")}</h1>
        <span class="soft">{page.me.value?.name}</span>
        <a class="soft" href="/console">
          {ts("app.console")}
        </a>
        <button type="button" class="bare" onClick={() => void setLanguage(language.value === "zh" ? "en" : "zh")}>
          {t("chat.language")}
        </button>
      </header>
      <Alarms page={page} onOpen={open} />
      <LinkNotice page={page} />
      <nav class="row" aria-label={ts("app.manager")}>
        {TABS.map((one) => (
          <button key={one} type="button" aria-current={one === tab ? "page" : undefined} onClick={() => choose(one)}>
            {ts(`manager.${one}`)}
          </button>
        ))}
      </nav>
      <main class={tab}>
        {tab === "knowledge" ? <KnowledgeView /> : null}
        {tab === "unanswered" ? <UnansweredView /> : null}
        {tab === "scores" ? <ScoresView /> : null}
        {tab === "rules" ? <RulesView /> : null}
        {tab === "inbox" ? <InboxList page={page} open={null} onOpen={open} /> : null}
      </main>
    </div>
  );
}

await useWords();
const page = await Page.open(upload, true);
render(<Manage page={page} />, document.getElementById("app")!);
