// The filters of the installation.

import type { JSX } from "preact";
import type { Desk } from "../page/desk";
import { Filters as OfParent } from "../page/filters/filters";

/** Those that look first in all workspaces. */
export function Filters({ desk }: { desk: Desk }): JSX.Element {
  return (
    <>
      <p class="quiet">
        What people say and tools return, in all workspaces, is looked at by these, in this order, before anybody works on it and
        before it is stored. A workspace's own look behind them.
      </p>
      <OfParent desk={desk} parent="global" />
    </>
  );
}
