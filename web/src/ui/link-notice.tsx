/** Tells truthfully when there is no link. Of its own: not every page has a chat. */

import { t } from "../i18n";
import type { Page } from "../page";

export function LinkNotice({ page }: { page: Page }) {
  const link = page.link.value;
  if (link === "online") return null;
  return (
    <p class="link-notice" role="status">
      {t(`link.${link}`)}
    </p>
  );
}
