import "../style/tokens.css";
import "../style/call.css";
import "../style/phone.css";
import { render } from "preact";
import { useState } from "preact/hooks";
import { CallLine } from "../call";
import { expose } from "../expose";
import { endReasonText, language, say, t, useWords } from "../i18n";
import { Page } from "../page";
import { stateText, Timer } from "../ui/call";
import { Captions } from "../ui/captions";
import { LinkNotice } from "../ui/link-notice";
import { Icon } from "../ui/icons";
import { upload } from "../upload";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"] as const;

/** One big button, a key pad, voice only. */
function Phone({ page, line }: { page: Page; line: CallLine }) {
  const [pad, setPad] = useState(false);
  const state = line.state.value;
  const { muted, notice } = line.devices.state.value;
  const quality = line.telling.quality.value;
  const home = page.home.value;
  const busy = state.phase === "opening" || state.phase === "running";
  const call = page.calls.value.get(state.call ?? "") ?? null;
  return (
    <main class="call phone" key={language.value}>
      <header>
        <h1 class="grow">{t("phone.title")}</h1>
        <Timer since={state.since} />
      </header>
      <LinkNotice page={page} />
      <p class="call-state" role="status">
        {busy ? stateText(state, call, line.devices.stream) : t("phone.hint")}
      </p>
      {state.phase === "ended" ? (
        <p role="alert">{state.trouble ? say(state.trouble) : endReasonText(state.reason ?? "failed")}</p>
      ) : null}
      {busy && quality !== "good" ? (
        <p class="quality" role="status">
          {t(`call.quality.${quality}`)}
        </p>
      ) : null}
      {busy && notice ? <p role="alert">{say(notice)}</p> : null}
      {busy ? null : (
        <a href={`/${location.search}`}>
          <Icon name="message-square" /> {t("phone.chat")}
        </a>
      )}
      {line.sound.silenced.value ? (
        <button type="button" class="primary wide" onClick={() => line.sound.resume()}>
          {t("call.resume.tap")}
        </button>
      ) : null}
      {busy ? null : <div class="captions" />}
      {busy && pad ? <Pad onPress={(digit) => line.press(digit)} /> : null}
      {busy && !pad ? <Captions captions={page.captions.value.get(state.call ?? "") ?? []} onChoose={call?.state === "with_advisor" ? null : (text) => void line.say(text)} /> : null}
      <div class="controls">
        {busy ? (
          <>
            <button type="button" aria-label={t("call.mute")} aria-pressed={muted} onClick={() => line.devices.mute(!muted)}>
              <Icon name={muted ? "mic-off" : "mic"} size={28} />
            </button>
            <button type="button" class="danger big" aria-label={t("call.hangup")} onClick={() => void line.hangUp()}>
              <Icon name="phone-off" size={56} />
            </button>
            <button type="button" aria-label={t("call.keypad")} aria-pressed={pad} onClick={() => setPad(!pad)}>
              <Icon name="grip" size={28} />
            </button>
          </>
        ) : (
          <button
            type="button"
            class="primary big"
            aria-label={t("phone.call")}
            disabled={!home}
            onClick={() => (line.dismiss(), home && void line.start(home, "voice"))}
          >
            <Icon name="phone" size={72} />
          </button>
        )}
      </div>
    </main>
  );
}

function Pad({ onPress }: { onPress: (digit: string) => void }) {
  const [pressed, setPressed] = useState("");
  return (
    <div class="pad" role="group" aria-label={t("call.keypad")}>
      <output>{pressed.slice(-12)}</output>
      {KEYS.map((digit) => (
        <button
          key={digit}
          type="button"
          aria-label={t("phone.key", { digit })}
          onClick={() => (onPress(digit), setPressed(pressed + digit))}
        >
          {digit}
        </button>
      ))}
    </div>
  );
}

await useWords();
const page = await Page.open(upload);
const line = new CallLine(page, "phone");
expose(page, line);
render(<Phone page={page} line={line} />, document.getElementById("app")!);
