/** Prepared replies: put into the composer to be looked over, never sent by themselves. */

import { useRef } from "preact/hooks";
import { language } from "../i18n";
import { Icon } from "../ui/icons";
import { ts } from "../words/staff";

const REPLIES = {
  zh: [
    "您好，我是门店顾问，已看到您和 AI 助手的对话，我来帮您。",
    "请问宝宝现在多大了？",
    "我帮您查一下，请稍等一分钟。",
    "需要的话我可以和您视频看一下。",
    "如果宝宝精神差、呼吸费力或持续高烧，请马上就医或拨打 120。",
    "还有什么可以帮您的吗？",
  ],
  en: [
    "Hello, I am an advisor of the store. I have read your conversation with the AI assistant and will help you.",
    "How old is your baby now?",
    "Let me look that up, one minute please.",
    "If you like, we can look at it together by video.",
    "If your baby is listless, struggles to breathe or keeps a high fever, please see a doctor now or call 120.",
    "Is there anything else I can help with?",
  ],
} as const;

export function Canned({ onPick }: { onPick: (text: string) => void }) {
  const menu = useRef<HTMLDivElement>(null);
  const pick = (text: string) => {
    onPick(text);
    menu.current?.hidePopover();
  };
  return (
    <>
      <button type="button" class="small" popovertarget="canned">
        <Icon name="ellipsis" size={16} /> {ts("act.canned")}
      </button>
      <div ref={menu} id="canned" popover="auto" class="menu" aria-label={ts("act.canned")}>
        {REPLIES[language.value].map((reply) => (
          <button key={reply} type="button" class="bare" onClick={() => pick(reply)}>
            {reply}
          </button>
        ))}
      </div>
    </>
  );
}
