/** A store of the chain by its name. */

import { useEffect, useState } from "preact/hooks";
import { language } from "../i18n";
import { type StoreName, storesOfChain } from "./api";

export function useStores(failed: (error: unknown) => void): readonly StoreName[] {
  const [found, setFound] = useState<readonly StoreName[]>([]);
  useEffect(() => void storesOfChain().then(setFound, failed), []);
  return found;
}

export const storeText = (store: StoreName): string => (language.value === "en" && store.name_en) || store.name;
