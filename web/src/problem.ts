import { RefusedError } from "./connection";
import { errorText, t } from "./i18n";

/** Any failure as a sentence; what a refusal of input adds for developers is shown to staff too, it names the field. */
export function problemText(error: unknown): string {
  if (!(error instanceof RefusedError)) return t("error.unavailable");
  const { code, detail } = error.refusal;
  return code === "bad_message" && detail ? `${errorText(code)} (${detail})` : errorText(code);
}
