// The filters of the installation, as they look in each workspace: to be read there, not changed.

import type { JSX } from "preact";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { Notice, Spinner } from "../parts";
import { State } from "../table";
import { OF_ALL } from "../usage/budgets";
import { visible } from "../visible";
import { Facts } from "./chain";

/** Only operators may read them; others are told that. */
export function OfInstallation({ desk }: { desk: Desk }): JSX.Element {
  return (
    <section>
      <h2>Of the installation</h2>
      {desk.session.user?.operator ? (
        <Read desk={desk} />
      ) : (
        <p class="quiet">Whether there are any, and what they look for, only operators may read.</p>
      )}
    </section>
  );
}

function Read({ desk }: { desk: Desk }): JSX.Element {
  const { value, error } = useLoaded(() => desk.session.stubs.filters.getFilters({ parent: OF_ALL }), []);
  const filters = value?.filters?.filters;
  return (
    <>
      {error && <Notice text={error} />}
      {!value && !error && <Spinner label="Loading" />}
      {filters?.length === 0 && <p class="quiet">There are none.</p>}
      <ol class="queue chain" aria-label="Of the installation">
        {filters?.map((each) => (
          <li key={each.name}>
            <h3>
              {visible(each.name)} <State name={each.disabled ? "disabled" : "on"} isWished={each.disabled} />
            </h3>
            <Facts filter={each} />
          </li>
        ))}
      </ol>
      {!!filters?.length && (
        <p class="quiet">
          They are changed in <a href="/operator.html#filters">Operations</a>.
        </p>
      )}
    </>
  );
}
