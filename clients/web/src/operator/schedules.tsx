// The operator's own schedules.

import type { JSX } from "preact";
import type { Desk } from "../page/desk";
import { SchedulesTable, ofOneself } from "../page/schedules/table";

/** What others' say is nobody's business but their conversations' people's and their admins'. */
export function Schedules({ desk }: { desk: Desk }): JSX.Element {
  return (
    <>
      <h2>Your schedules</h2>
      <p class="quiet">
        Messages that are posted by the clock, in your name. A workspace&apos;s stand below its usage, for its admins; how many are
        due, started and failed is in the metrics.
      </p>
      <SchedulesTable desk={desk} read={() => ofOneself(desk)} />
    </>
  );
}
