/** What is asked back before a message is changed or complained about. */

import { t } from "../i18n";
import { MAX_TEXT_CHARS } from "../protocol.gen";
import { Dialog } from "./dialog";

interface Props {
  readonly onClose: () => void;
  readonly onSend: (words: string) => void;
}

const words = (event: SubmitEvent): string =>
  String(new FormData(event.currentTarget as HTMLFormElement).get("words") ?? "").trim();

export function Edit({ text, onClose, onSend }: Props & { readonly text: string }) {
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    const changed = words(event);
    if (changed && changed !== text) onSend(changed);
    onClose();
  };
  return (
    <Dialog label={t("message.edit")} onClose={onClose}>
      <form onSubmit={send}>
        <textarea name="words" rows={4} maxLength={MAX_TEXT_CHARS} aria-label={t("message.edit")} defaultValue={text} autoFocus />
        <p>
          <button class="primary">{t("message.edit.save")}</button>
        </p>
      </form>
    </Dialog>
  );
}

export function Complaint({ onClose, onSend }: Props) {
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    onSend(words(event));
    onClose();
  };
  return (
    <Dialog label={t("message.complain")} onClose={onClose}>
      <form onSubmit={send}>
        <label>
          {t("message.complaint.what")}
          <textarea name="words" rows={3} maxLength={1000} />
        </label>
        <p>
          <button class="primary">{t("message.complaint.send")}</button>
        </p>
      </form>
    </Dialog>
  );
}
