/** A dialog fetched when it is first wanted: what most visits never open does not weigh on the first load. */

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

export function later<P extends { readonly onClose: () => void }>(fetch: () => Promise<ComponentType<P>>): ComponentType<P> {
  return function Later(props: P) {
    const [Shown, setShown] = useState<ComponentType<P> | null>(null);
    useEffect(() => void fetch().then((view) => setShown(() => view), props.onClose), []);
    return Shown && <Shown {...props} />;
  };
}
