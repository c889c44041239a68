// A workspace's schedules for its admins, and for everybody else their own.

import type { JSX } from "preact";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { OF_ALL, manages } from "../usage/budgets";
import { SchedulesTable, ofOneself, ofWorkspace } from "./table";

/** Nothing where there are none. */
export function SchedulesSection({ desk, parent }: { desk: Desk; parent: string }): JSX.Element | null {
  const { value: shown } = useLoaded(async () => {
    const isAdmins = parent !== OF_ALL && (await manages(desk, parent));
    const read = () => (isAdmins ? ofWorkspace(desk, parent) : ofOneself(desk));
    return (await read()).length ? { read, name: isAdmins ? "Schedules" : "Your schedules" } : undefined;
  }, [parent]);
  if (!shown) return null;
  return (
    <section>
      <h2>{shown.name}</h2>
      <SchedulesTable desk={desk} read={shown.read} />
    </section>
  );
}
