import { t } from "../i18n";
import { Dialog } from "./dialog";

/** One photo, as large as the screen. */
export const Viewer = ({ url, onClose }: { readonly url: string; readonly onClose: () => void }) => (
  <Dialog class="viewer" label={t("image.alt")} onClose={onClose}>
    <img src={url} alt={t("image.alt")} />
  </Dialog>
);
