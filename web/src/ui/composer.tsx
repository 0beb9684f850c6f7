/** Where one writes, attaches, pastes and speaks. What is written is kept as a draft at each change. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import type { Attachment, Keep } from "../keep";
import { MAX_TEXT_CHARS } from "../protocol.gen";
import { Icon, type IconName } from "./icons";
import { fetchRecording, Recorder } from "./recorder";

interface Props {
  readonly keep: Keep;
  readonly draftKey: string;
  readonly placeholder: string;
  readonly onText: (text: string) => void;
  /** Absent: this conversation takes no files. */
  readonly onFiles: ((files: readonly Attachment[]) => void) | null;
  readonly onTyping: (on: boolean) => void;
  readonly onDraft?: (text: string) => void;
  readonly insert?: string;
  readonly children?: ComponentChildren;
  readonly class?: string;
}

const TYPING_EVERY_MS = 3_000;
const SOON_MS = 5_000;
/** What the gateway can look at. Named one by one: an iPhone then hands over its HEIC as JPEG. */
const PHOTOS = "image/jpeg,image/png,image/webp";

export function Composer(props: Props) {
  const { keep, draftKey, placeholder, onText, onFiles, children } = props;
  const [text, setText] = useDraft(keep, draftKey, props.onDraft);
  const [more, setMore] = useState(false);
  const [recording, setRecording] = useState(false);
  const typing = useTyping(props.onTyping);
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => void setTimeout(() => void fetchRecording().catch(() => undefined), SOON_MS), []);
  useEffect(() => {
    if (!props.insert) return;
    setText(inserted(text, props.insert));
    box.current?.focus();
  }, [props.insert]);

  const send = () => {
    const words = text.trim();
    if (!words) return;
    onText(words);
    setText("");
    typing.stop();
  };
  const take = (files: Iterable<File>) => {
    const attachments = [...files].map(attachment);
    if (attachments.length) onFiles?.(attachments);
    setMore(false);
  };
  const keyed = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || matchMedia("(pointer: coarse)").matches) return;
    event.preventDefault();
    send();
  };

  return (
    <div
      class={`composer ${props.class ?? ""}`}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => (event.preventDefault(), take(event.dataTransfer?.files ?? []))}
    >
      {children}
      {more ? (
        <div class="more">
          <Pick label={t("chat.photo")} icon="image" accept={PHOTOS} multiple onPick={take} />
          <Pick label={t("chat.camera")} icon="camera" accept={PHOTOS} capture="environment" onPick={take} />
          <Pick label={t("chat.file")} icon="paperclip" multiple onPick={take} />
        </div>
      ) : null}
      {recording && onFiles ? (
        <Recorder onDone={(note) => (setRecording(false), note && onFiles([note]))} />
      ) : (
        <div class="row">
          {onFiles ? (
            <button type="button" class="bare" aria-label={t("chat.more")} aria-expanded={more} onClick={() => setMore(!more)}>
              <Icon name={more ? "x" : "plus"} />
            </button>
          ) : null}
          <textarea
            ref={box}
            class="grow"
            rows={1}
            maxLength={MAX_TEXT_CHARS}
            value={text}
            placeholder={placeholder}
            aria-label={placeholder}
            onInput={(event) => (setText(event.currentTarget.value), typing.go())}
            onKeyDown={keyed}
            onBlur={typing.stop}
            onPaste={(event) => take(event.clipboardData?.files ?? [])}
          />
          {text.trim() || !onFiles ? (
            <button type="button" class="primary" aria-label={t("chat.send")} onClick={send}>
              <Icon name="send-horizontal" />
            </button>
          ) : (
            <button
              type="button"
              class="bare hold"
              aria-label={t("voice.record")}
              title={t("voice.hold")}
              onPointerDown={() => setRecording(true)}
              onClick={() => setRecording(true)}
            >
              <Icon name="mic" />
            </button>
          )}
        </div>
      )}
    </div>
  );
}

/** After what stands there already, never over it. */
export const inserted = (text: string, more: string): string => (text.trim() ? `${text.trimEnd()}\n${more}` : more);

const attachment = (file: File): Attachment => ({
  blob: file,
  name: file.name.slice(-200),
  purpose: /^image\/(jpeg|png|webp|gif|heic|heif)$/.test(file.type) ? "image" : "file",
  upload: null,
});

interface PickProps {
  readonly label: string;
  readonly icon: IconName;
  readonly accept?: string;
  readonly capture?: "environment";
  readonly multiple?: boolean;
  readonly onPick: (files: Iterable<File>) => void;
}

function Pick({ label, icon, onPick, ...input }: PickProps) {
  const field = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" onClick={() => field.current?.click()}>
        <Icon name={icon} /> {label}
      </button>
      <input
        {...input}
        ref={field}
        type="file"
        hidden
        aria-label={label}
        onChange={(event) => {
          onPick([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}

function useDraft(keep: Keep, key: string, told?: (text: string) => void) {
  const [text, setText] = useState("");
  useEffect(() => {
    let stale = false;
    setText("");
    void keep.draft(key).then((draft) => stale || setText((typed) => typed || draft));
    return () => void (stale = true);
  }, [key]);
  const change = (next: string) => {
    setText(next);
    told?.(next);
    void keep.setDraft(key, next).catch(() => undefined);
  };
  return [text, change] as const;
}

function useTyping(onTyping: (on: boolean) => void) {
  const toldAt = useRef(0);
  return {
    go: () => {
      if (Date.now() - toldAt.current < TYPING_EVERY_MS) return;
      toldAt.current = Date.now();
      onTyping(true);
    },
    stop: () => {
      if (toldAt.current) onTyping(false);
      toldAt.current = 0;
    },
  };
}
