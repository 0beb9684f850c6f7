import { t } from "../i18n";
import { Icon } from "./icons";

/** A number to ring, as a button one cannot miss. */
export const Tel = ({ number }: { number: string }) => (
  <a class="tel" href={`tel:${number}`}>
    <Icon name="phone" />
    {t("chat.tel", { tel: number })}
  </a>
);
