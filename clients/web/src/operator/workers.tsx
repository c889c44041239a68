// The workers of the installation.

import type { JSX } from "preact";
import type { Desk } from "../page/desk";
import { Permissions } from "../page/workers/permissions";
import { WorkersTable } from "../page/workers/table";

const PARENT = "global";

/** Who is there, and who may be. */
export function Workers({ desk }: { desk: Desk }): JSX.Element {
  return (
    <>
      <h2>Workers</h2>
      <WorkersTable desk={desk} parent={PARENT} />
      <h2>Who may serve what</h2>
      <Permissions desk={desk} parent={PARENT} />
    </>
  );
}
