/** A voice note: hold to talk, or tap and go hands free. After it stops there are three seconds to take it back. */

import { useEffect, useRef, useState } from "preact/hooks";
import { duration, type PlainKey, say, t } from "../i18n";
import type { Attachment } from "../keep";
import { troubleOf } from "../microphone";
import type { Recording } from "../recording";
import { Icon } from "./icons";

const HOLD_MS = 500;
const LOCK_PX = 60;
const UNDO_S = 3;
const SHORTEST_MS = 600;
const LONGEST_S = 300;

type Step =
  | { readonly at: "opening" }
  | { readonly at: "recording"; readonly since: number; readonly held: boolean }
  | { readonly at: "undo"; readonly note: Attachment; readonly left: number }
  | { readonly at: "trouble"; readonly key: PlainKey };

/** Fetched soon after the page is there: one can then record without a link too. */
export const fetchRecording = () => import("../recording");

export function Recorder({ onDone }: { onDone: (note: Attachment | null) => void }) {
  const [step, setStep] = useState<Step>({ at: "opening" });
  const [level, setLevel] = useState(0);
  const [now, setNow] = useState(Date.now());
  const recording = useRef<Recording | null>(null);

  useEffect(() => {
    let gone = false;
    const begin = async () => {
      const { Recording } = await fetchRecording();
      if (gone) return;
      recording.current = new Recording(setLevel);
      await recording.current.start();
      setStep({ at: "recording", since: Date.now(), held: false });
    };
    begin().catch((error: unknown) => setStep({ at: "trouble", key: `media.${troubleOf(error)}` }));
    return () => {
      gone = true;
      recording.current?.stop();
    };
  }, []);
  useEffect(() => {
    const clock = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(clock);
  }, []);

  const finish = async () => {
    if (step.at !== "recording") return; // let go to answer the permission prompt: it begins hands free
    const blob = await recording.current?.finish();
    if (!blob || Date.now() - step.since < SHORTEST_MS) return setStep({ at: "trouble", key: "voice.short" });
    setStep({ at: "undo", note: { blob, name: "", purpose: "voice", upload: null }, left: UNDO_S });
  };
  useHold(finish);
  useEffect(() => {
    if (step.at === "recording" && now - step.since > LONGEST_S * 1000) void finish();
    if (step.at !== "undo") return;
    const next = setTimeout(() => {
      if (step.left <= 1) onDone(step.note);
      else setStep({ ...step, left: step.left - 1 });
    }, 1000);
    return () => clearTimeout(next);
  }, [step, step.at === "recording" ? now : 0]);

  if (step.at === "trouble")
    return (
      <div class="recorder" role="alert">
        <span class="grow">{say(step.key)}</span>
        <button type="button" onClick={() => onDone(null)}>
          {t("chat.close")}
        </button>
      </div>
    );
  if (step.at === "undo")
    return (
      <div class="recorder" role="status">
        <span class="grow">{t("voice.sending", { n: step.left })}</span>
        <button type="button" onClick={() => onDone(null)}>
          <Icon name="undo-2" /> {t("voice.undo")}
        </button>
        <button type="button" class="primary" aria-label={t("chat.send")} onClick={() => onDone(step.note)}>
          <Icon name="send-horizontal" />
        </button>
      </div>
    );
  const length = duration(step.at === "recording" ? Math.max(0, (now - step.since) / 1000) : 0);
  return (
    <div class="recorder">
      <button type="button" class="bare" aria-label={t("voice.cancel")} onClick={() => onDone(null)}>
        <Icon name="trash-2" />
      </button>
      <span role="status">{t("voice.recording", { length })}</span>
      <meter class="grow" min={0} max={1} value={level} aria-hidden="true" />
      <button type="button" class="primary" onClick={() => void finish()}>
        <Icon name="check" /> {t("voice.stop")}
      </button>
    </div>
  );
}

/** Held when mounted (by keyboard it is not: the next press is another one): letting go after a while ends the recording; a short tap or a slide upwards leaves it running. */
function useHold(finish: () => Promise<void>): void {
  const latest = useRef(finish);
  latest.current = finish;
  useEffect(() => {
    const since = Date.now();
    let from: number | null = null;
    let locked = false;
    const moved = (event: PointerEvent) => {
      from ??= event.clientY;
      locked ||= from - event.clientY > LOCK_PX;
    };
    const released = () => {
      stop();
      if (!locked && Date.now() - since > HOLD_MS) void latest.current();
    };
    const stop = () => {
      removeEventListener("pointermove", moved);
      removeEventListener("pointerup", released);
      removeEventListener("pointercancel", stop);
      removeEventListener("pointerdown", stop);
    };
    addEventListener("pointermove", moved);
    addEventListener("pointerup", released);
    addEventListener("pointercancel", stop);
    addEventListener("pointerdown", stop);
    return stop;
  }, []);
}
