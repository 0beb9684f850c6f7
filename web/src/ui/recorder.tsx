/** A voice note: hold to talk, or tap and go hands free. After it stops there are three seconds to take it back. */

import { useEffect, useRef, useState } from "preact/hooks";
import { duration, type PlainKey, say, t } from "../i18n";
import type { Attachment } from "../keep";
import { MediaTrouble, openMicrophone, troubleOf } from "../microphone";
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

export function Recorder({ onDone }: { onDone: (note: Attachment | null) => void }) {
  const [step, setStep] = useState<Step>({ at: "opening" });
  const [level, setLevel] = useState(0);
  const [now, setNow] = useState(Date.now());
  const recording = useRef<Recording | null>(null);

  useEffect(() => {
    const ours = new Recording(setLevel);
    recording.current = ours;
    const begun = (): void => setStep({ at: "recording", since: Date.now(), held: false });
    ours.start().then(begun, (error: unknown) => setStep({ at: "trouble", key: `media.${troubleOf(error)}` }));
    return () => ours.stop();
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

/** A MediaRecorder and the loudness beside it. */
class Recording {
  private stream: MediaStream | null = null;
  private recorder: MediaRecorder | null = null;
  private context: AudioContext | null = null;
  private readonly parts: Blob[] = [];
  private stopped = false;

  constructor(private readonly told: (level: number) => void) {}

  async start(): Promise<void> {
    this.stream = await openMicrophone();
    if (this.stopped) return this.stop();
    if (typeof MediaRecorder === "undefined") throw new MediaTrouble("no_webrtc");
    const type = ["audio/webm;codecs=opus", "audio/mp4"].find((one) => MediaRecorder.isTypeSupported(one));
    this.recorder = new MediaRecorder(this.stream, { ...(type ? { mimeType: type } : {}), audioBitsPerSecond: 32_000 });
    this.recorder.ondataavailable = (event) => this.parts.push(event.data);
    this.recorder.start(1_000);
    this.listen(this.stream);
  }

  finish(): Promise<Blob | null> {
    const { recorder } = this;
    if (!recorder || recorder.state === "inactive") return Promise.resolve(null);
    return new Promise((resolve) => {
      recorder.onstop = () => resolve(new Blob(this.parts, { type: recorder.mimeType }));
      recorder.stop();
      this.stop();
    });
  }

  stop(): void {
    this.stopped = true;
    this.stream?.getTracks().forEach((track) => track.stop());
    void this.context?.close().catch(() => undefined);
    this.context = null;
  }

  private listen(stream: MediaStream): void {
    const context = new AudioContext();
    this.context = context;
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const look = () => {
      if (this.context !== context) return;
      analyser.getFloatTimeDomainData(samples);
      const loud = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
      this.told(Math.min(1, loud * 6));
      requestAnimationFrame(look);
    };
    look();
  }
}
