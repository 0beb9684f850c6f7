/** The call as she sees it: who is on the line, their picture, captions of both sides, typing, and hanging up. */

import type { Signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { CallLine } from "../call";
import { duration, endReasonText, say, t } from "../i18n";
import type { LineState } from "../line-state";
import type { Page } from "../page";
import type { CallView } from "../protocol.gen";
import { Captions } from "./captions";
import { Icon, type IconName } from "./icons";
import { Picture } from "./picture";

interface Props {
  readonly page: Page;
  readonly line: CallLine;
  readonly onMinimise: () => void;
  readonly onAgain: () => void;
}

export function CallScreen({ page, line, onMinimise, onAgain }: Props) {
  const state = line.state.value;
  const { camera, notice } = line.devices.state.value;
  const quality = line.telling.quality.value;
  const call = page.calls.value.get(state.call ?? "") ?? null;
  const withAdvisor = call?.state === "with_advisor";
  const [typing, setTyping] = useState(false);
  if (state.phase === "ended") return <Ended state={state} onClose={() => line.dismiss()} onAgain={onAgain} />;
  return (
    <section class="call" aria-label={t(`call.${state.media}`)}>
      {state.media === "video" || withAdvisor ? (
        <Picture stream={line.sound.stream} label={t("call.them")} class="remote" />
      ) : null}
      <header>
        <p class="call-state" role="status">
          {stateText(state, call, line.devices.stream)}
        </p>
        <Timer since={state.since} />
        <button type="button" class="bare" aria-label={t("call.minimise")} onClick={onMinimise}>
          <Icon name="message-square" />
        </button>
      </header>
      {quality === "good" ? null : (
        <p class="quality" role="status">
          {t(`call.quality.${quality}`)}
        </p>
      )}
      {notice ? <p role="alert">{say(notice)}</p> : null}
      {line.sound.silenced.value ? (
        <button type="button" class="primary wide" onClick={() => line.sound.resume()}>
          {t("call.resume.tap")}
        </button>
      ) : null}
      <div class="face" aria-hidden="true">
        <Icon name={withAdvisor ? "user-round" : "sparkles"} size={56} />
      </div>
      <Captions captions={page.captions.value.get(state.call ?? "") ?? []} onChoose={withAdvisor ? null : (text) => void line.say(text)} />
      {camera ? <Picture stream={line.devices.stream} label={t("call.me")} class="self" /> : null}
      {typing ? <Say onSay={(text) => void line.say(text)} /> : null}
      <Controls line={line} typing={typing} onTyping={() => setTyping(!typing)} />
    </section>
  );
}

export function stateText(state: LineState, call: CallView | null, local: Signal<MediaStream | null>): string {
  if (state.phase === "ended") return t("call.state.ended");
  if (state.phase === "opening") return t(local.value ? "call.state.requested" : "call.state.microphone");
  if (state.reconnecting) return t("call.state.reconnecting");
  if (!call) return t("call.state.connecting");
  if (call.state !== "with_advisor") return t(`call.state.${call.state}`);
  return t("call.state.with_advisor", { name: call.advisor_name ?? t("call.advisor") });
}

function Controls({ line, typing, onTyping }: { line: CallLine; typing: boolean; onTyping: () => void }) {
  const { devices } = line;
  const { muted, camera } = devices.state.value;
  return (
    <div class="controls">
      <Toggle on={muted} icon={muted ? "mic-off" : "mic"} label={t("call.mute")} onClick={() => devices.mute(!muted)} />
      <Toggle on={camera} icon={camera ? "video" : "video-off"} label={t("call.camera.on")} onClick={() => void devices.camera(!camera)} />
      {camera ? <Toggle icon="switch-camera" label={t("call.flip")} onClick={() => void devices.flip()} /> : null}
      <Toggle on={typing} icon="keyboard" label={t("call.keyboard")} onClick={onTyping} />
      <button type="button" class="danger hangup" aria-label={t("call.hangup")} onClick={() => void line.hangUp()}>
        <Icon name="phone-off" size={26} />
      </button>
    </div>
  );
}

function Toggle(props: { on?: boolean; icon: IconName; label: string; onClick: () => void }) {
  return (
    <button type="button" aria-label={props.label} title={props.label} aria-pressed={props.on ?? false} onClick={props.onClick}>
      <Icon name={props.icon} size={24} />
    </button>
  );
}

function Say({ onSay }: { onSay: (text: string) => void }) {
  const field = useRef<HTMLInputElement>(null);
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    const words = field.current?.value.trim();
    if (!words || !field.current) return;
    onSay(words);
    field.current.value = "";
  };
  return (
    <form class="row" onSubmit={send}>
      <input ref={field} class="grow" aria-label={t("call.say")} placeholder={t("call.say")} maxLength={4000} autoFocus />
      <button class="primary" aria-label={t("chat.send")}>
        <Icon name="send-horizontal" />
      </button>
    </form>
  );
}

function Ended({ state, onClose, onAgain }: { state: LineState; onClose: () => void; onAgain: () => void }) {
  const title = t(state.trouble && !state.call ? "call.state.not_begun" : "call.state.ended");
  return (
    <section class="call ended" aria-label={title}>
      <div class="middle" role="alert">
        <Icon name={state.trouble ? "triangle-alert" : "phone-off"} size={48} />
        <h2>{title}</h2>
        <p>{state.trouble ? say(state.trouble) : endReasonText(state.reason ?? "failed")}</p>
      </div>
      <div class="controls">
        <button type="button" class="wide" onClick={onAgain}>
          <Icon name="phone" /> {t("call.again")}
        </button>
        <button type="button" class="primary wide" onClick={onClose}>
          <Icon name="message-square" /> {t("call.minimise")}
        </button>
      </div>
    </section>
  );
}

export function Timer({ since }: { since: number | null }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const clock = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(clock);
  }, []);
  return <span class="timer">{since ? duration(Math.max(0, now - since) / 1000) : ""}</span>;
}
