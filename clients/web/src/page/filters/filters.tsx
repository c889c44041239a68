// The filters of a parent: as they stand, as they shall be, and what they said.

import type { JSX } from "preact";
import type { Desk } from "../desk";
import { Rules } from "../rules/rules";
import { OF_ALL } from "../usage/budgets";
import { Chain } from "./chain";
import { FilterDialog } from "./dialog";
import { countsOf, filtersOf, useScreenings } from "./reading";
import { Screenings } from "./screenings";
import { Trial } from "./trial";

function emptyOf(parent: string): string {
  if (parent === OF_ALL) return "There are none here, so nothing is looked at but by the workspaces' own.";
  return "This workspace has none of its own.";
}

/** In the order in which they look. */
export function Filters({ desk, parent }: { desk: Desk; parent: string }): JSX.Element {
  const screenings = useScreenings(desk, parent);
  const said = screenings.value ?? [];
  return (
    <Rules
      desk={desk}
      parent={parent}
      kept={filtersOf(desk, parent)}
      title="The chain"
      one="filter"
      waiting="Not set yet: what people say goes by the filters of before."
      list={(filters, error, change, edit) => (
        <Chain empty={emptyOf(parent)} filters={filters} error={error} counts={countsOf(said, parent)} all={said.length} onChange={change} onEdit={edit} />
      )}
      dialog={(filter, put, close) => <FilterDialog filter={filter} onPut={put} onClose={close} />}
      between={(draft) => (
        <>
          <Trial desk={desk} parent={parent} draft={draft} />
          <Screenings desk={desk} parent={parent} screenings={screenings} />
        </>
      )}
    />
  );
}
