/** Both sides' words as they are said. The assistant's are lit as far as they have been heard. */

import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";
import type { CaptionLine } from "../page";
import type { Role } from "../protocol.gen";
import { Tel } from "./tel";

const SHOWN = 30;

interface Shown {
  readonly captions: readonly CaptionLine[];
  readonly onChoose: ((text: string) => void) | null;
  /** The customer's name to who reads; she herself reads "me". */
  readonly her?: string;
}

export function Captions({ captions, onChoose, her }: Shown) {
  const list = useRef<HTMLDivElement>(null);
  const shown = captions.slice(-SHOWN);
  const last = shown.at(-1);
  useEffect(() => {
    if (list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [captions]);
  return (
    <div class="captions">
      <div class="lines" ref={list} role="log" aria-label={t("call.captions")} tabIndex={0}>
        <ol>
        {shown.length === 0 ? <li class="soft">{t("call.listening")}</li> : null}
        {shown.map((caption) => (
          <li key={`${caption.role}-${caption.turn}`} class={caption.role} aria-busy={!caption.final}>
            <span class="who">{(caption.role === "customer" && her) || t(roleKey(caption.role))}</span> <Lit caption={caption} />
            {caption.tel ? <Tel number={caption.tel} /> : null}
          </li>
        ))}
        </ol>
      </div>
      {last && onChoose && last.choices.length ? (
        <div class="choices">
          {last.choices.map((choice) => (
            <button key={choice.id} type="button" onClick={() => onChoose(choice.text)}>
              {choice.text}
            </button>
          ))}
        </div>
      ) : null}
    </div>
  );
}

const roleKey = (role: Role) => `role.${role}` as const;

function Lit({ caption }: { caption: CaptionLine }) {
  if (caption.role !== "assistant") return <span class={caption.final ? "" : "partial"}>{caption.text}</span>;
  const characters = [...caption.text];
  return (
    <span>
      {characters.slice(0, caption.lit).join("")}
      <span class="unheard">{characters.slice(caption.lit).join("")}</span>
    </span>
  );
}
