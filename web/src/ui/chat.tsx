/** A conversation one can read and write in: timeline, typing, composer. The customer's page and the console share it. */

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { failureText, t } from "../i18n";
import type { Attachment } from "../keep";
import { makeNonce } from "../nonce";
import { textBody } from "../outbox";
import type { Page } from "../page";
import type { Choice, CustomerBody, Me } from "../protocol.gen";
import type { Entry, Message } from "../reduce";
import { Receipts } from "../receipts";
import type { LiveThread } from "../thread";
import { Composer } from "./composer";
import { Timeline } from "./timeline";

export interface ChatProps {
  readonly page: Page;
  readonly thread: LiveThread;
  readonly me: Me;
  readonly nameOf: (entry: Entry) => string;
  /** What else stands under a message. */
  readonly footnote?: (message: Message) => ComponentChildren;
  readonly placeholder: string;
  readonly found?: number | null;
  readonly insert?: string;
  readonly composerClass?: string;
  /** Instead of sending a message (a note, or what she types in a call). */
  readonly onText?: ((text: string) => void) | undefined;
  readonly onDraft?: (text: string) => void;
  /** May files be attached here? Yes unless said otherwise. */
  readonly files?: boolean;
  readonly above?: ComponentChildren;
  readonly writable?: boolean;
}

export function Chat(props: ChatProps) {
  const { page, thread, me } = props;
  const { conversation } = thread;
  const [problem, setProblem] = useState("");
  const receipts = useMemo(() => new Receipts(page, conversation), [conversation]);
  const view = thread.view.value;
  const theirs = view.entries.findLast((entry) => entry.shape === "message" && entry.sender !== me.id)?.seq ?? 0;
  useEffect(() => receipts.mark(theirs), [theirs]);

  const send = (what: CustomerBody | Attachment) => void page.outbox.send(me.id, conversation, what);
  const attempt = (asked: Promise<unknown>) =>
    void asked.then(
      () => setProblem(""),
      (error: unknown) => setProblem(failureText(error)),
    );
  const acts = {
    choose: (choice: Choice) => send(textBody(choice.text)),
    recall: (target: number) => attempt(page.ask({ type: "message.recall", nonce: makeNonce(), conversation, target })),
    edit: (target: number, text: string) =>
      attempt(page.ask({ type: "message.edit", nonce: makeNonce(), conversation, target, text })),
    rate: (target: number, verdict: "up" | "down" | "complaint", comment = "") =>
      attempt(page.ask({ type: "feedback.give", nonce: makeNonce(), conversation, target, verdict, comment })),
    older: () => thread.loadOlder().catch(() => undefined),
    retry: (nonce: string) => void page.outbox.retry(nonce),
    discard: (nonce: string) => void page.outbox.discard(nonce),
  };
  const logged = new Set(view.entries.map((entry) => (entry.shape === "message" ? entry.nonce : null)));
  const outgoing = page.outbox.items.value.filter((item) => item.conversation === conversation && !logged.has(item.nonce));

  return (
    <>
      <Timeline
        key={conversation}
        thread={view}
        outgoing={outgoing}
        me={me}
        older={thread.older.value}
        loaded={thread.loaded.value}
        found={props.found ?? null}
        acts={acts}
        nameOf={props.nameOf}
        footnote={props.footnote}
        onRead={(seq) => receipts.mark(seq, Math.min(seq, theirs))}
      />
      <div class="typing" role="status">
        {problem || <Typing page={page} conversation={conversation} />}
      </div>
      {props.above}
      {props.writable === false ? null : (
        <Composer
          keep={page.keep}
          draftKey={`${me.id}:${conversation}`}
          placeholder={props.placeholder}
          class={props.composerClass ?? ""}
          insert={props.insert ?? ""}
          onDraft={props.onDraft ?? (() => undefined)}
          onText={props.onText ?? ((text) => send(textBody(text)))}
          onFiles={props.files === false ? null : (files) => files.forEach(send)}
          onTyping={(on) => page.connection.send({ type: "typing.set", conversation, on })}
        />
      )}
    </>
  );
}

function Typing({ page, conversation }: { page: Page; conversation: string }) {
  const typing = page.typing.value.get(conversation);
  if (!typing || typing.party === page.me.value?.id) return null;
  if (typing.role === "customer" || typing.role === "assistant") return <>{t(`chat.typing.${typing.role}`)}</>;
  return <>{t("chat.typing.advisor")}</>;
}
