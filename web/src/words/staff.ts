import { wording } from "../i18n";
import { staffEn } from "./staff.en";
import { staffZh } from "./staff.zh";

/** `t` for the pages of advisors and managers. */
export const { t: ts, say: sayStaff } = wording(staffZh, staffEn);
export type StaffKey = keyof typeof staffZh;
