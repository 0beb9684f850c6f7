/** Red flags at whoever is on duty: seen, heard, and there until somebody takes them. */

import { useEffect, useState } from "preact/hooks";
import { clockTime, t } from "../i18n";
import { makeNonce } from "../nonce";
import type { Page } from "../page";
import { Icon } from "./icons";
import { signText, ts } from "../words/staff";

const BEEP_EVERY_MS = 2_000;

export function Alarms({ page, onOpen }: { page: Page; onOpen: (conversation: string) => void }) {
  const open = page.alarms.value.filter((alarm) => !alarm.acknowledged_by);
  const silent = useBeep(open.length > 0);
  if (!open.length) return <Taken page={page} />;
  const acknowledge = (alarm: string) =>
    void page.ask({ type: "alarm.acknowledge", nonce: makeNonce(), alarm }).catch(() => undefined);
  return (
    <section class="alarms" role="alert">
      {open.map((alarm) => (
        <div key={alarm.alarm} class="row alarm" data-conversation={alarm.conversation}>
          <Icon name="triangle-alert" size={28} />
          <div class="grow">
            <strong>
              {ts("alarm.title")} {signText(alarm.sign)} · {alarm.customer_name} · {alarm.store_name || alarm.store} · {clockTime(alarm.at)}
            </strong>
            <div>{alarm.text}</div>
          </div>
          <button
            type="button"
            class="primary"
            onClick={() => {
              acknowledge(alarm.alarm);
              onOpen(alarm.conversation);
            }}
          >
            {ts("alarm.acknowledge")}
          </button>
        </div>
      ))}
      {silent ? <p class="soft">{ts("alarm.sound")}</p> : null}
    </section>
  );
}

/** An alarm that goes by itself says who has it: of two who press at once, one learns that the other was first. */
function Taken({ page }: { page: Page }) {
  const [seen, setSeen] = useState("");
  const last = page.alarms.value.findLast(({ acknowledged_by }) => acknowledged_by);
  if (!last?.taker || last.alarm === seen || last.acknowledged_by === page.me.value?.id) return null;
  return (
    <p class="link-notice row" role="status">
      <span class="grow">{ts("alarm.taken", { name: last.taker, customer: last.customer_name, sign: signText(last.sign) })}</span>
      <button type="button" class="small" onClick={() => setSeen(last.alarm)}>
        {t("chat.close")}
      </button>
    </p>
  );
}

/** Two tones every two seconds while an alarm is open. True: the browser wants a click before it makes a sound. */
function useBeep(on: boolean): boolean {
  const [silent, setSilent] = useState(false);
  useEffect(() => {
    if (!on) return;
    const context = new AudioContext();
    const beep = () => {
      setSilent(context.state !== "running");
      if (context.state !== "running") return void context.resume().catch(() => undefined);
      [880, 660].forEach((hertz, nth) => tone(context, hertz, context.currentTime + nth * 0.22));
    };
    beep();
    const clock = setInterval(beep, BEEP_EVERY_MS);
    const wake = () => void context.resume().catch(() => undefined);
    addEventListener("pointerdown", wake);
    return () => {
      clearInterval(clock);
      removeEventListener("pointerdown", wake);
      void context.close();
    };
  }, [on]);
  return silent;
}

function tone(context: AudioContext, hertz: number, at: number): void {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.frequency.value = hertz;
  gain.gain.setValueAtTime(0.25, at);
  gain.gain.exponentialRampToValueAtTime(0.001, at + 0.2);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + 0.22);
}
