// Filters as the server has them.

import { listed } from "../../antiphon";
import type { Filter, Filters, Screening } from "../../gen/antiphon/context/v1/filter_pb";
import type { Desk } from "../desk";
import { type Paged, usePaged } from "../paging";
import type { Kept, Revision } from "../rules/rules";

const AGAIN_MS = 10_000;
const MOST_REVISIONS = 100;

/** Those of a parent, as they are or as they were. */
export function filtersOf(desk: Desk, parent: string): Kept<Filter> {
  const { filters } = desk.session.stubs;
  const fetched = (pageToken: string) => filters.listFilterRevisions({ parent, pageToken, pageSize: MOST_REVISIONS });
  return {
    read: async (revision) => ruled((await filters.getFilters({ parent, revision })).filters!),
    set: async (rules, comment, seen) => ruled((await filters.setFilters({ parent, filters: rules, comment, expectedRevision: seen })).filters!),
    revisions: () => listed(fetched, (page) => page.revisions.map(ruled), MOST_REVISIONS),
  };
}

function ruled(filters: Filters): Revision<Filter> {
  return { ...filters, rules: filters.filters };
}

/** What they had to say of late, the newest first. */
export function useScreenings(desk: Desk, parent: string): Paged<Screening> {
  const { filters } = desk.session.stubs;
  return usePaged((page) => filters.listScreenings({ parent, ...page }), (page) => page.screenings, [parent], AGAIN_MS);
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
