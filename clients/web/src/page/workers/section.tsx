// A workspace's own workers, for its admins.

import type { JSX } from "preact";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { OF_ALL, manages } from "../usage/budgets";
import { Permissions, readPermissions } from "./permissions";
import { WorkersTable } from "./table";

/** Nothing where a workspace has none, or one may not ask; operators see all workspaces' elsewhere. */
export function WorkersSection({ desk, parent }: { desk: Desk; parent: string }): JSX.Element | null {
  const { value: isShown } = useLoaded(async () => {
    if (parent === OF_ALL || !(await manages(desk, parent))) return false;
    return (await readPermissions(desk, parent)).length > 0;
  }, [parent]);
  if (!isShown) return null;
  return (
    <section>
      <h2>Workers</h2>
      <WorkersTable desk={desk} parent={parent} />
      <h2>Who may serve what</h2>
      <Permissions desk={desk} parent={parent} />
    </section>
  );
}
