import { readOf, wording } from "../i18n";
import { staffZh } from "./staff.zh";

/** `t` for the pages of advisors and managers. */
const staff = wording(staffZh, async () => (await import("./staff.en")).staffEn);
export const { t: ts, say: sayStaff } = staff;
readOf(staff.words);
export type StaffKey = keyof typeof staffZh;

/** For codes that come from the gateway; an unknown one is shown as it is. */
const named = (group: "action" | "sign" | "fault", code: string, otherwise = code): string =>
  (staff.words() as Readonly<Record<string, string>>)[`${group}.${code}`] ?? otherwise;

/** "S16 choking": the code is what the signed list calls it. */
export const signText = (sign: string): string => `${sign} ${named("sign", sign)}`;
export const actionText = (action: string): string => named("action", action);

/** What is wrong with a row of a file; the gateway's English where there are no words for it. */
export const faultText = (code: string, why: string): string => named("fault", code, why);
