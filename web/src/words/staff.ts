import { wording } from "../i18n";
import { staffZh } from "./staff.zh";

/** `t` for the pages of advisors and managers. */
export const { t: ts, say: sayStaff } = wording(staffZh, async () => (await import("./staff.en")).staffEn);
export type StaffKey = keyof typeof staffZh;
