/** What a message can be, drawn. Words of people and of the assistant only ever become text nodes. */

import { useRef, useState } from "preact/hooks";
import { clockTime, dayName, duration, endReasonText, fileSize, money, noticeText, t } from "../i18n";
import type { Body, Choice, FileRef, ImageBody, TextBody, VoiceBody } from "../protocol.gen";
import { Icon } from "./icons";
import { later } from "./later";
import { Tel } from "./tel";
import { Waveform } from "./waveform";

const Viewer = later(async () => (await import("./viewer")).Viewer);

export const fileUrl = (file: FileRef): string => `/api/v1/files/${encodeURIComponent(file.id)}`;

interface Props {
  readonly body: Body;
  /** Set where she may still tap a choice. */
  readonly choose: ((choice: Choice) => void) | null;
}

export function BodyView({ body, choose }: Props) {
  switch (body.kind) {
    case "text":
      return <Words body={body} choose={choose} />;
    case "speech":
      return (
        <div class="bubble">
          {body.text}
          {body.cut ? <span class="soft"> {t("message.cut")}</span> : null}
          <Choices choices={body.choices} choose={choose} />
        </div>
      );
    case "image":
      return <Photo body={body} />;
    case "file":
      return (
        <a class="bubble file" href={fileUrl(body.file)} download={body.file.name}>
          <Icon name="file-text" />
          <span class="grow">
            <span class="unseen">{t("file.download", { name: "" })}</span>
            {body.file.name}
            <span class="soft"> {fileSize(body.file.size)}</span>
          </span>
          <Icon name="download" size={18} />
        </a>
      );
    case "voice":
      return <VoiceNote body={body} />;
    case "product":
      return (
        <div class="bubble card">
          <strong>{body.name}</strong>
          <span>{t("product.price", { price: money(body.price_fen) })}</span>
          <span class="soft">{body.facts}</span>
        </div>
      );
    case "appointment":
      return (
        <div class="bubble card">
          <strong>{body.what}</strong>
          <span>
            {dayName(body.starts_at)} {clockTime(body.starts_at)} · {body.store}
          </span>
          <span class="soft">{t(`appointment.${body.state}`)}</span>
        </div>
      );
    case "call_record":
      return (
        <div class="bubble row">
          <Icon name={body.media === "video" ? "video" : "phone"} size={18} />
          <span>
            {t("divider.call.ended", { length: duration(body.duration_ms / 1000) })}
            <span class="soft"> {endReasonText(body.reason)}</span>
          </span>
        </div>
      );
    case "notice":
      return <div class="bubble quiet">{noticeText(body.code, body.args)}</div>;
    default:
      return <div class="bubble quiet">{t("message.unknown")}</div>;
  }
}

function Words({ body, choose }: { body: TextBody; choose: Props["choose"] }) {
  return (
    <div class="bubble">
      {body.text}
      {body.tel ? <Tel number={body.tel} /> : null}
      <Choices choices={body.choices} choose={choose} />
      {body.sources.length ? (
        <p class="sources">
          {t("chat.sources")}
          {body.sources.map((source) => source.title).join(" · ")}
        </p>
      ) : null}
    </div>
  );
}

function Choices({ choices, choose }: { choices: readonly Choice[]; choose: Props["choose"] }) {
  if (!choices.length) return null;
  return (
    <div class="choices">
      {choices.map((choice) => (
        <button key={choice.id} type="button" disabled={!choose} onClick={() => choose?.(choice)}>
          {choice.text}
        </button>
      ))}
    </div>
  );
}

const PHOTO_WIDTH = 240;
const PHOTO_HEIGHT = 320;

function Photo({ body }: { body: ImageBody }) {
  const [open, setOpen] = useState(false);
  const scale = Math.min(1, PHOTO_WIDTH / body.width, PHOTO_HEIGHT / body.height);
  const size = { width: `${Math.max(60, body.width * scale)}px`, height: `${Math.max(60, body.height * scale)}px` };
  return (
    <div class="bubble picture">
      <button type="button" class="photo" style={size} aria-label={t("image.open")} onClick={() => setOpen(true)}>
        {body.preview.startsWith("data:image/") ? <img class="preview" src={body.preview} alt="" /> : null}
        <img class="full" src={fileUrl(body.file)} alt={t("image.alt")} loading="lazy" />
      </button>
      {open ? <Viewer url={fileUrl(body.file)} onClose={() => setOpen(false)} /> : null}
    </div>
  );
}

function VoiceNote({ body }: { body: VoiceBody }) {
  const audio = useRef<HTMLAudioElement>(null);
  const [playing, setPlaying] = useState(false);
  const [share, setShare] = useState(0);
  const length = duration(Math.max(1, body.duration_ms / 1000));
  const toggle = () => (playing ? audio.current?.pause() : void audio.current?.play().catch(() => setPlaying(false)));
  return (
    <div class="bubble">
      <div class="voice">
        <button type="button" aria-label={playing ? t("voice.pause") : t("voice.play", { length })} onClick={toggle}>
          <Icon name={playing ? "pause" : "play"} />
        </button>
        <Waveform values={body.waveform} share={share} />
        <span class="soft">{length}</span>
        <audio
          ref={audio}
          src={fileUrl(body.file)}
          preload="none"
          onPlay={() => setPlaying(true)}
          onPause={() => setPlaying(false)}
          onEnded={() => setShare(0)}
          onTimeUpdate={(event) => setShare((event.currentTarget.currentTime * 1000) / Math.max(1, body.duration_ms))}
        />
      </div>
      {body.transcript ? <div class="soft">{body.transcript}</div> : null}
    </div>
  );
}
