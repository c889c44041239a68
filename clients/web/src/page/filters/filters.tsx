// The filters of a parent: as they stand, as they shall be, and what they said.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Filter, Filters as Set } from "../../gen/antiphon/context/v1/filter_pb";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { Icon, Notice } from "../parts";
import { Chain } from "./chain";
import { FilterDialog } from "./dialog";
import { History, Newest } from "./history";
import { countsOf, readFilters, readScreenings } from "./reading";
import { Screenings } from "./screenings";
import { Setting } from "./setting";
import { Trial } from "./trial";

const AGAIN_MS = 10_000;

/** What somebody has changed and not set yet, of which revision. */
interface Draft {
  filters: Filter[];
  seen: bigint;
}

/** They are changed here and then set as a whole, so that nobody meets half of a change. */
export function Filters({ desk, parent }: { desk: Desk; parent: string }): JSX.Element {
  const { value, error, reload } = useLoaded(() => readFilters(desk, parent), [parent], AGAIN_MS);
  const screenings = useLoaded(() => readScreenings(desk, parent), [parent], AGAIN_MS);
  const [draft, setDraft] = useState<Draft>();
  const [dialog, setDialog] = useState<Filter | "new">();
  const [told, tell] = useState("");
  const shown = draft?.filters ?? value?.filters;
  const change = (filters: Filter[]) => {
    tell("");
    setDraft({ filters, seen: draft?.seen ?? value!.revision });
  };
  const put = (filter: Filter) => {
    const place = dialog === "new" ? -1 : shown!.findIndex(({ name }) => name === (dialog as Filter).name);
    change(place < 0 ? [...shown!, filter] : shown!.with(place, filter));
  };
  const done = (now: Set) => {
    setDraft(undefined);
    tell(`Revision ${now.revision.toLocaleString()} holds from now on.`);
    reload();
  };
  const discard = () => {
    setDraft(undefined);
    reload();
  };
  return (
    <>
      <section>
        <div class="bar">
          <h2 class="grow">The chain</h2>
          {shown && (
            <button type="button" class="small" onClick={() => setDialog("new")}>
              <Icon name="plus" /> New filter
            </button>
          )}
        </div>
        {draft && value && value.revision > draft.seen && (
          <Notice text="Somebody has set others meanwhile. Discard your changes to see them." />
        )}
        <Chain
          filters={shown}
          error={error}
          counts={countsOf(screenings.value ?? [], parent)}
          all={screenings.value?.length ?? 0}
          onChange={change}
          onEdit={setDialog}
        />
        {draft && <Setting desk={desk} parent={parent} {...draft} onSet={done} onRefused={reload} onDiscard={discard} />}
        <p class="quiet" role="status">
          {told}
        </p>
        {value && value.revision > 0n && !draft && <Newest desk={desk} parent={parent} filters={value} />}
        {dialog && <FilterDialog filter={dialog === "new" ? undefined : dialog} onPut={put} onClose={() => setDialog(undefined)} />}
      </section>
      <Trial desk={desk} parent={parent} draft={draft?.filters} />
      <Screenings desk={desk} parent={parent} screenings={screenings.value} error={screenings.error} />
      {value && value.revision > 0n && (
        <History
          desk={desk}
          parent={parent}
          revision={value.revision}
          onTake={(then) => setDraft({ filters: then.filters, seen: value.revision })}
        />
      )}
    </>
  );
}
