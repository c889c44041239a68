// Filters as the server has them.

import { listed } from "../../antiphon";
import type { Filters, Screening } from "../../gen/antiphon/context/v1/filter_pb";
import type { Desk } from "../desk";

const NEWEST = 200;
const MOST_REVISIONS = 100;

/** Those of a parent, as they are or as they were. */
export async function readFilters(desk: Desk, parent: string, revision = 0n): Promise<Filters> {
  const { filters } = await desk.session.stubs.filters.getFilters({ parent, revision });
  return filters!;
}

/** What they were, the newest first, without themselves. */
export function readRevisions(desk: Desk, parent: string): Promise<Filters[]> {
  const { filters } = desk.session.stubs;
  return listed(
    (pageToken) => filters.listFilterRevisions({ parent, pageToken, pageSize: MOST_REVISIONS }),
    (page) => page.revisions,
    MOST_REVISIONS,
  );
}

/** What they had to say of late, the newest first. */
export async function readScreenings(desk: Desk, parent: string): Promise<Screening[]> {
  const { screenings } = await desk.session.stubs.filters.listScreenings({ parent, pageSize: NEWEST });
  return screenings;
}

/** How many of these a parent's filters had something to say of, by their names. */
export function countsOf(screenings: Screening[], parent: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { verdicts } of screenings) {
    for (const name of new Set(verdicts.filter((each) => each.parent === parent).map(({ filter }) => filter))) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}
