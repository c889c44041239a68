// A workspace's own routes, for its admins.

import type { JSX } from "preact";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { OF_ALL, manages } from "../usage/budgets";
import { RoutesTable, readRoutes } from "./table";

/** Nothing where a workspace never had any, or one may not ask; operators see the others elsewhere. */
export function RoutesSection({ desk, parent }: { desk: Desk; parent: string }): JSX.Element | null {
  const { value: isShown } = useLoaded(async () => {
    if (parent === OF_ALL || !(await manages(desk, parent))) return false;
    return (await readRoutes(desk, parent)).revision > 0n;
  }, [parent]);
  if (!isShown) return null;
  return (
    <section>
      <h2>Routes</h2>
      <RoutesTable desk={desk} parent={parent} />
    </section>
  );
}
