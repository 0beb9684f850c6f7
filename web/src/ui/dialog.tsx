import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "./icons";

interface Props {
  readonly label: string;
  readonly onClose: () => void;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** A native modal dialog, open as long as it is mounted; focus returns by itself when it closes. */
export function Dialog({ label, onClose, class: name, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} class={name} aria-label={label} onClose={onClose}>
      {name === "viewer" ? null : (
        <div class="row">
          <h2 class="grow">{label}</h2>
          <CloseButton onClick={() => dialog.current?.close()} />
        </div>
      )}
      {children}
      {name === "viewer" ? <CloseButton onClick={() => dialog.current?.close()} /> : null}
    </dialog>
  );
}

const CloseButton = ({ onClick }: { onClick: () => void }) => (
  <button type="button" class="bare" aria-label={t("chat.close")} onClick={onClick}>
    <Icon name="x" />
  </button>
);
