/** One message with who said it, when, and what can be done with it. */

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { clockTime, errorText, t } from "../i18n";
import type { Outgoing } from "../outbox";
import type { Choice, Me } from "../protocol.gen";
import type { Message, Note, Receipt } from "../reduce";
import { BodyView } from "./bodies";
import { Icon, type IconName } from "./icons";
import { later } from "./later";

const Complaint = later(async () => (await import("./asking")).Complaint);
const Edit = later(async () => (await import("./asking")).Edit);

export interface MessageActs {
  choose(choice: Choice): void;
  recall(seq: number): void;
  edit(seq: number, text: string): void;
  rate(seq: number, verdict: "up" | "down" | "complaint", comment?: string): void;
}

interface Props {
  readonly message: Message;
  readonly me: Me;
  readonly name: string;
  readonly receipts: Readonly<Record<string, Receipt>>;
  readonly latest: boolean;
  readonly found: boolean;
  readonly acts: MessageActs;
  readonly footnote: ((message: Message) => ComponentChildren) | undefined;
}

const CUSTOMER_RECALL_MS = 120_000;

export function Bubble({ message, me, name, receipts, latest, found, acts, footnote }: Props) {
  const mine = message.sender === me.id;
  const canChoose = latest && me.role === "customer" && !mine;
  return (
    <li id={`seq-${message.seq}`} class={`message ${mine ? "mine" : ""} ${found ? "found" : ""}`}>
      {mine ? null : (
        <span class="who">
          {name}
          {message.ai ? <abbr class="ai-tag" title={t("role.assistant")}>{t("ai.label")}</abbr> : null}
        </span>
      )}
      {message.recalled || !message.body ? (
        <div class="bubble quiet">{t("message.recalled")}</div>
      ) : (
        <BodyView body={message.body} choose={canChoose ? acts.choose : null} />
      )}
      <div class="foot">
        <time dateTime={message.at}>{clockTime(message.at)}</time>
        {message.edited ? <span>{t("message.edited")}</span> : null}
        {message.body?.kind === "speech" ? <Icon name="phone" size={13} /> : null}
        {mine && !message.recalled ? <Status of={statusOf(message, me, receipts)} /> : null}
        <Rewrite message={message} me={me} acts={acts} />
        <Recall message={message} me={me} acts={acts} />
        {message.ai && me.role === "customer" && !message.recalled ? <Rating message={message} acts={acts} /> : null}
        {footnote?.(message)}
      </div>
    </li>
  );
}

type MessageStatus = "sending" | "sent" | "delivered" | "read";

const STATUS_ICON: Readonly<Record<MessageStatus, IconName>> = {
  sending: "clock",
  sent: "check",
  delivered: "check-check",
  read: "check-check",
};

const Status = ({ of }: { of: MessageStatus }) => (
  <span class={`status ${of}`}>
    <Icon name={STATUS_ICON[of]} size={14} /> {t(`message.${of}`)}
  </span>
);

/** What the others have: never more than the log says. */
function statusOf(message: Message, me: Me, receipts: Readonly<Record<string, Receipt>>): MessageStatus {
  const others = Object.entries(receipts).filter(([party]) => party !== me.id);
  if (others.some(([, receipt]) => receipt.read >= message.seq)) return "read";
  return others.some(([, receipt]) => receipt.delivered >= message.seq) ? "delivered" : "sent";
}

const young = (message: Message): boolean => Date.now() - Date.parse(message.at) < CUSTOMER_RECALL_MS;

/** Her own words, as long as she may take them back. */
const isOwn = (message: Message, me: Me): boolean => message.sender === me.id && (me.role !== "customer" || young(message));

function Rewrite({ message, me, acts }: Pick<Props, "message" | "me" | "acts">) {
  const [open, setOpen] = useState(false);
  if (message.body?.kind !== "text" || !(open || isOwn(message, me))) return null;
  return (
    <>
      <button type="button" class="bare" onClick={() => setOpen(true)}>
        {t("message.edit")}
      </button>
      {open ? <Edit text={message.body.text} onClose={() => setOpen(false)} onSend={(text) => acts.edit(message.seq, text)} /> : null}
    </>
  );
}

function Recall({ message, me, acts }: Pick<Props, "message" | "me" | "acts">) {
  const own = isOwn(message, me);
  const assistants = me.role !== "customer" && message.ai;
  if (message.recalled || !(own || assistants)) return null;
  return (
    <button type="button" class="bare" onClick={() => acts.recall(message.seq)}>
      {t("message.recall")}
    </button>
  );
}

function Rating({ message, acts }: Pick<Props, "message" | "acts">) {
  const [complaining, setComplaining] = useState(false);
  const thumb = (verdict: "up" | "down", icon: IconName) => (
    <button
      type="button"
      class="bare"
      aria-label={t(`message.${verdict}`)}
      aria-pressed={message.feedback === verdict}
      onClick={() => acts.rate(message.seq, verdict)}
    >
      <Icon name={icon} size={16} />
    </button>
  );
  return (
    <>
      {thumb("up", "thumbs-up")}
      {thumb("down", "thumbs-down")}
      <button
        type="button"
        class="bare"
        aria-label={t("message.complain")}
        aria-pressed={message.feedback === "complaint"}
        onClick={() => setComplaining(true)}
      >
        <Icon name="flag" size={16} />
      </button>
      {message.feedback === "complaint" ? <span>{t("message.complained")}</span> : null}
      {complaining ? (
        <Complaint
          onClose={() => setComplaining(false)}
          onSend={(comment) => acts.rate(message.seq, "complaint", comment)}
        />
      ) : null}
    </>
  );
}

interface OutgoingActs {
  retry(nonce: string): void;
  discard(nonce: string): void;
}

/** Not acknowledged yet: never looks sent. */
export function OutgoingBubble({ item, acts }: { item: Outgoing; acts: OutgoingActs }) {
  const waiting = item.attachment && !item.body;
  return (
    <li class="message mine outgoing">
      {item.body?.kind === "text" ? (
        <div class="bubble">{item.body.text}</div>
      ) : item.attachment?.purpose === "image" ? (
        <Chosen blob={item.attachment.blob} name={item.attachment.name} />
      ) : (
        <div class="bubble row">
          <Icon name={item.attachment?.purpose === "voice" ? "mic" : "file-text"} />
          {item.attachment?.name || t("voice.note")}
        </div>
      )}
      {waiting && !item.refused ? (
        <progress max={1} value={item.progress} aria-label={t("message.uploading", { percent: Math.round(item.progress * 100) })} />
      ) : null}
      <div class="foot">
        {item.refused ? (
          <>
            <span class="failed" role="alert">
              {t("message.failed")}: {errorText(item.refused)}
            </span>
            <button type="button" class="bare" onClick={() => acts.retry(item.nonce)}>
              {t("message.retry")}
            </button>
          </>
        ) : waiting ? (
          <span>{t("message.uploading", { percent: Math.round(item.progress * 100) })}</span>
        ) : (
          <Status of={item.seq ? "sent" : "sending"} />
        )}
        {item.seq ? null : (
          <button type="button" class="bare" onClick={() => acts.discard(item.nonce)}>
            {item.refused ? t("message.discard") : t("message.cancel")}
          </button>
        )}
      </div>
    </li>
  );
}

/** The photo as it lies on her phone, until the gateway's own takes its place. */
function Chosen({ blob, name }: { blob: Blob; name: string }) {
  const [url, setUrl] = useState("");
  useEffect(() => {
    const ours = URL.createObjectURL(blob);
    setUrl(ours);
    return () => URL.revokeObjectURL(ours);
  }, [blob]);
  return <div class="bubble picture chosen">{url ? <img src={url} alt={name} /> : null}</div>;
}

export const NoteBubble = ({ note, name }: { note: Note; name: string }) => (
  <li id={`seq-${note.seq}`} class="message note">
    <span class="who">
      {t("message.note")} · {name}
    </span>
    <div class="bubble">{note.text}</div>
    <div class="foot">
      <time dateTime={note.at}>{clockTime(note.at)}</time>
    </div>
  </li>
);
