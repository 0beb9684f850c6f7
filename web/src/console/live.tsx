/** A running call in the console: captions as they are said, and taking it over. Our own leg connects first; only then
 * does the gateway switch. */

import { useState } from "preact/hooks";
import type { CallLine } from "../call";
import { endReasonText, say, t } from "../i18n";
import type { Page } from "../page";
import type { CallView, InboxItem } from "../protocol.gen";
import { Timer } from "../ui/call";
import { Captions } from "../ui/captions";
import { Icon } from "../ui/icons";
import { Picture } from "../ui/picture";
import { ts } from "../words/staff";

interface Props {
  readonly page: Page;
  readonly line: CallLine;
  readonly conversation: string;
  readonly item: InboxItem | undefined;
}

export function LiveCall({ page, line, conversation, item }: Props) {
  const state = line.state.value;
  const call = [...page.calls.value.values()].find((one) => one.conversation === conversation) ?? null;
  const id = call?.call ?? item?.call ?? null;
  const here = state.call !== null && state.call === id;
  if (!id) return <Aftermath line={line} />;
  return (
    <section class="live-call" aria-label={ts("take.captions")}>
      <div class="row">
        <Icon name={call?.media === "video" ? "video" : "phone"} size={18} />
        <strong class="grow" role="status">
          {liveText(line, call)}
        </strong>
        <Timer since={here ? state.since : null} />
        {here && state.phase === "running" ? <Mine line={line} /> : <Take line={line} id={id} conversation={conversation} call={call} />}
      </div>
      {here || state.phase === "opening" ? (
        <div class="pictures">
          <Picture stream={line.sound.stream} label={t("call.them")} class="remote" />
          <Picture stream={line.devices.stream} label={t("call.me")} class="self" />
        </div>
      ) : null}
      {line.devices.state.value.notice ? <p class="soft">{say(line.devices.state.value.notice)}</p> : null}
      <Captions captions={page.captions.value.get(id) ?? []} onChoose={null} her={ts("line.customer")} />
      {here ? null : <Aftermath line={line} />}
    </section>
  );
}

function liveText(line: CallLine, call: CallView | null): string {
  const { phase, reconnecting } = line.state.value;
  if (phase === "opening") return ts("take.connecting");
  if (reconnecting) return t("call.state.reconnecting");
  if (!call) return ts("take.live");
  if (call.state === "with_advisor") return t("call.state.with_advisor", { name: call.advisor_name ?? t("call.advisor") });
  return t(`call.state.${call.state}`);
}

function Take({ line, id, conversation, call }: { line: CallLine; id: string; conversation: string; call: CallView | null }) {
  const [withCamera, setWithCamera] = useState(true);
  const { phase } = line.state.value;
  const busy = phase === "opening" || phase === "running" || call?.state === "with_advisor" || call?.state === "taking_over";
  const take = () => {
    line.dismiss();
    void line.takeOver(id, conversation, withCamera ? "video" : "voice");
  };
  return (
    <>
      <label class="row">
        <input type="checkbox" checked={withCamera} onChange={(event) => setWithCamera(event.currentTarget.checked)} />
        {ts("take.camera")}
      </label>
      <button type="button" class="primary" disabled={busy} onClick={take}>
        {ts("take.over")}
      </button>
    </>
  );
}

/** What one does in a call of one's own. */
export function Mine({ line }: { line: CallLine }) {
  const { muted, camera } = line.devices.state.value;
  return (
    <>
      <button type="button" class="bare" aria-label={t("call.mute")} aria-pressed={muted} onClick={() => line.devices.mute(!muted)}>
        <Icon name={muted ? "mic-off" : "mic"} />
      </button>
      <button type="button" class="bare" aria-label={t("call.camera.on")} aria-pressed={camera} onClick={() => void line.devices.camera(!camera)}>
        <Icon name={camera ? "video" : "video-off"} />
      </button>
      <button type="button" onClick={() => void line.handBack().catch(() => undefined)}>
        {ts("take.back")}
      </button>
      <button type="button" class="danger" aria-label={t("call.hangup")} onClick={() => void line.hangUp()}>
        <Icon name="phone-off" />
      </button>
    </>
  );
}

/** Why our own leg is not there any more. */
function Aftermath({ line }: { line: CallLine }) {
  const { phase, trouble, reason } = line.state.value;
  if (phase !== "ended" || (!trouble && !reason)) return null;
  return (
    <p class="row soft aftermath" role="alert">
      <span class="grow">{trouble ? say(trouble) : endReasonText(reason ?? "")}</span>
      <button type="button" class="small" onClick={() => line.dismiss()}>
        {t("chat.close")}
      </button>
    </p>
  );
}
