/** The conversation as a list that stays at its end while one is there, and loads older pages at its top. */

import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { dayName, handoffText, t } from "../i18n";
import type { Outgoing } from "../outbox";
import type { Me } from "../protocol.gen";
import type { Divider, Entry, Message, Thread } from "../reduce";
import { Bubble, type MessageActs, NoteBubble, OutgoingBubble } from "./bubble";
import { Icon } from "./icons";

interface Props {
  readonly thread: Thread;
  readonly outgoing: readonly Outgoing[];
  readonly me: Me;
  readonly older: boolean;
  /** Is the newest page here? Nothing looks empty before. */
  readonly loaded: boolean;
  readonly found: number | null;
  readonly acts: MessageActs & { older(): Promise<void>; retry(nonce: string): void; discard(nonce: string): void };
  readonly nameOf: (entry: Entry) => string;
  readonly footnote: ((message: Message) => ComponentChildren) | undefined;
  /** Everything up to here has been on a visible screen. */
  readonly onRead: (seq: number) => void;
}

const NEAR_END_PX = 80;
const LIFT_MS = 100;

export function Timeline({ thread, outgoing, me, older, loaded, found, acts, nameOf, footnote, onRead }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const { atEnd, jump } = useEnd(frame, thread.entries.length + outgoing.length, thread.lastSeq);
  useEffect(() => {
    if (found) document.getElementById(`seq-${found}`)?.scrollIntoView({ block: "center" });
  }, [found]);
  useRead(atEnd, thread.entries.at(-1)?.seq ?? 0, onRead);
  const lastMessage = thread.entries.findLast((entry) => entry.shape === "message")?.seq;
  return (
    <div class="timeline-frame">
      <div class="timeline" ref={frame} tabIndex={0} role="log" aria-label={t("chat.log")} aria-live="polite">
        {older ? (
          <button type="button" class="older small" onClick={() => void keepPlace(frame, acts.older)}>
            {t("chat.older")}
          </button>
        ) : null}
        <ol>
          {loaded && thread.entries.length + outgoing.length === 0 ? <li class="divider">{t("chat.empty")}</li> : null}
          {withDays(thread.entries).map((one) =>
            "day" in one ? (
              <li key={one.day} class="divider">
                {one.day}
              </li>
            ) : one.shape === "message" ? (
              <Bubble
                key={one.seq}
                message={one}
                me={me}
                name={nameOf(one)}
                receipts={thread.receipts}
                latest={one.seq === lastMessage}
                found={one.seq === found}
                acts={acts}
                footnote={footnote}
              />
            ) : one.shape === "note" ? (
              <NoteBubble key={one.seq} note={one} name={nameOf(one)} />
            ) : (
              <DividerLine key={one.seq} divider={one} name={nameOf(one)} />
            ),
          )}
          {outgoing.map((item) => (
            <OutgoingBubble key={item.nonce} item={item} acts={acts} />
          ))}
        </ol>
      </div>
      {atEnd ? null : (
        <button type="button" class="to-end primary small" onClick={jump}>
          <Icon name="chevron-down" size={18} /> {t("chat.newer")}
        </button>
      )}
    </div>
  );
}

type Line = Entry | { readonly day: string };

function withDays(entries: readonly Entry[]): readonly Line[] {
  let last = "";
  return entries.flatMap((entry): readonly Line[] => {
    const day = dayName(entry.at);
    if (day === last) return [entry];
    last = day;
    return [{ day }, entry];
  });
}

function DividerLine({ divider, name }: { divider: Divider; name: string }) {
  const text = dividerText(divider, name);
  return text ? (
    <li class="divider" id={`seq-${divider.seq}`}>
      {text}
    </li>
  ) : null;
}

/** A call's end has a message of its own, the call record. */
function dividerText({ kind, data }: Divider, name: string): string {
  switch (kind) {
    case "conversation.queued":
      return t("divider.conversation.queued", { reason: handoffText(String(data["reason"])) });
    case "conversation.assigned":
      return t("divider.conversation.assigned", { name });
    case "conversation.started":
    case "conversation.handed_back":
    case "conversation.wrapped_up":
    case "conversation.resolved":
    case "conversation.reopened":
    case "call.started":
      return t(`divider.${kind}`);
    case "call.changed":
      return data["state"] === "with_advisor" ? t("divider.call.taken", { name }) : "";
    default:
      return "";
  }
}

/** Stays at the end while one is at the end; otherwise leaves the reader where she is. Nothing moves under a finger that
 * is down: a message that came meanwhile would take the button away from it, and the tap would be lost. */
function useEnd(frame: RefObject<HTMLDivElement | null>, count: number, lastSeq: number) {
  const [atEnd, setAtEnd] = useState(true);
  const pressed = usePressed(frame);
  const jump = () => {
    const box = frame.current;
    if (box) box.scrollTop = box.scrollHeight;
    setAtEnd(true);
  };
  useLayoutEffect(() => {
    if (atEnd && !pressed) jump();
  }, [count, lastSeq, pressed]);
  useEffect(() => {
    const box = frame.current;
    if (!box) return;
    const look = () => setAtEnd(box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX);
    box.addEventListener("scroll", look, { passive: true });
    const resized = new ResizeObserver(() => atEnd && !pressed && jump());
    resized.observe(box);
    return () => {
      box.removeEventListener("scroll", look);
      resized.disconnect();
    };
  }, [atEnd, pressed]);
  return { atEnd, jump };
}

/** Is a finger or button down in here, or was just now? The click comes after the finger has left. */
function usePressed(frame: RefObject<HTMLDivElement | null>): boolean {
  const [pressed, setPressed] = useState(false);
  useEffect(() => {
    const box = frame.current;
    if (!box) return;
    let lifting: ReturnType<typeof setTimeout> | undefined;
    const down = () => (clearTimeout(lifting), setPressed(true));
    const up = () => (lifting = setTimeout(() => setPressed(false), LIFT_MS));
    box.addEventListener("pointerdown", down, { passive: true });
    for (const end of ["pointerup", "pointercancel"]) addEventListener(end, up, { passive: true });
    return () => {
      clearTimeout(lifting);
      box.removeEventListener("pointerdown", down);
      for (const end of ["pointerup", "pointercancel"]) removeEventListener(end, up);
    };
  }, []);
  return pressed;
}

async function keepPlace(frame: RefObject<HTMLDivElement | null>, load: () => Promise<void>): Promise<void> {
  const box = frame.current;
  if (!box) return;
  const fromEnd = box.scrollHeight - box.scrollTop;
  await load();
  requestAnimationFrame(() => (box.scrollTop = box.scrollHeight - fromEnd));
}

function useRead(atEnd: boolean, lastSeq: number, onRead: (seq: number) => void): void {
  useEffect(() => {
    const look = () => {
      if (atEnd && lastSeq && !document.hidden) onRead(lastSeq);
    };
    look();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [atEnd, lastSeq]);
}
