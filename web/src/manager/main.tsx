import "../style/tokens.css";
import "../style/chat.css";
import "../style/console.css";
import "../style/manager.css";
import { render } from "preact";
import { language, setLanguage, t, useWords } from "../i18n";
import { Page } from "../page";
import { Alarms } from "../ui/alarms";
import { LinkNotice } from "../ui/chat";
import { upload } from "../upload";
import { InboxList } from "../console/inbox";
import { ts } from "../words/staff";

function Manage({ page }: { page: Page }) {
  const open = (conversation: string) => location.assign(`/console#${conversation}`);
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
      <main class="inbox">
        <InboxList page={page} open={null} onOpen={open} />
      </main>
    </div>
  );
}

await useWords();
const page = await Page.open(upload, true);
render(<Manage page={page} />, document.getElementById("app")!);
