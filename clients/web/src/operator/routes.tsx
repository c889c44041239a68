// The routes of the installation.

import type { JSX } from "preact";
import type { Desk } from "../page/desk";
import { RoutesTable } from "../page/routes/table";

/** The rules for all workspaces; they are read here, and set by a command. */
export function Routes({ desk }: { desk: Desk }): JSX.Element {
  return (
    <>
      <h2>Routes of all workspaces</h2>
      <p class="quiet">
        Rules by which messages find their handlers where nobody names one, in the order in which they are tried. A workspace's own
        come first, and what no rule decides is for the default handler.
      </p>
      <RoutesTable desk={desk} parent="global" />
    </>
  );
}
