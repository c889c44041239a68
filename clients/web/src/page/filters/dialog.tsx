// A window: making a filter, or changing one. It holds when all of them are set.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Filter, FilterAction, FilterFailure, FilterStage } from "../../gen/antiphon/context/v1/filter_pb";
import { Choice, Dialog } from "../parts";
import { categoryOf } from "./categories";
import { PERSONAL, filterOf } from "./form";
import { ACTIONS, KINDS, type Kind, MASKING, STAGES, stagesOf, timeoutMs, USUAL_STAGES } from "./words";

/** Asks what it looks for and where, and what then. */
export function FilterDialog(props: {
  filter: Filter | undefined;
  onPut: (filter: Filter) => void;
  onClose: () => void;
}): JSX.Element {
  const { filter } = props;
  const [kind, setKind] = useState<Kind>(filter?.kind.case ?? "secrets");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    props.onPut(filterOf(new FormData(event.currentTarget as HTMLFormElement), filter));
    props.onClose();
  };
  return (
    <Dialog title={filter ? `Change ${filter.name}` : "New filter"} onClose={props.onClose}>
      <form onSubmit={submit}>
        {!filter && (
          <label>
            Name
            <input name="name" required maxLength={64} pattern="[a-z][a-z0-9\-]*" title="Small letters, digits and -" autofocus autocomplete="off" />
          </label>
        )}
        <Choice name="kind" label="Looks for" options={KINDS} value={kind} onChange={(value) => setKind(value as Kind)} />
        <OfKind kind={kind} filter={filter} />
        <Choice name="action" label="What it finds" options={ACTIONS} value={filter?.action ?? FilterAction.SANITISE} />
        <Stages filter={filter} kind={kind} />
        <label>
          It may take so many seconds
          <input name="timeout" type="number" min="0.001" max="30" step="any" required defaultValue={`${filter ? timeoutMs(filter) / 1000 : 2}`} />
        </label>
        <Choice
          name="failure"
          label="What it can't look at"
          options={{ [FilterFailure.CLOSED]: "is refused, and may be sent again", [FilterFailure.OPEN]: "passes, and is told of" }}
          value={filter?.onFailure || FilterFailure.CLOSED}
        />
        <button type="submit" class="primary">
          {filter ? "Change it" : "Add it"}
        </button>
      </form>
    </Dialog>
  );
}

/** What only filters of that kind are told. */
function OfKind({ kind, filter }: { kind: Kind; filter: Filter | undefined }): JSX.Element | null {
  const of = filter?.kind;
  switch (kind) {
    case "personalData":
      return <Personal chosen={of?.case === "personalData" ? of.value.categories : []} regions={of?.case === "personalData" ? of.value.regions : []} />;
    case "terms": {
      const [terms, parts] = of?.case === "terms" ? [of.value.terms, of.value.parts] : [[], []];
      return (
        <>
          <label>
            Words and phrases, one a line
            <textarea name="terms" rows={4} dir="auto" defaultValue={terms.join("\n")} required={!parts.length} />
          </label>
          <label>
            Found within words, too
            <textarea name="parts" rows={2} dir="auto" defaultValue={parts.join("\n")} />
          </label>
        </>
      );
    }
    case "remote":
      return (
        <label>
          Its tool
          <input
            name="tool"
            required
            minLength={3}
            maxLength={128}
            defaultValue={of?.case === "remote" ? of.value.tool : ""}
            placeholder="moderation.RemoteFilterService.Screen"
            autocomplete="off"
            aria-describedby="tool-hint"
          />
          <small id="tool-hint">Of a connection of the workspace or of all, by its name.</small>
        </label>
      );
    default:
      return null;
  }
}

function Personal({ chosen, regions }: { chosen: string[]; regions: string[] }): JSX.Element {
  return (
    <>
      <fieldset>
        <legend>Of these; none means all</legend>
        {PERSONAL.map((each) => (
          <label key={each} class="check">
            <input type="checkbox" name="categories" value={each} defaultChecked={chosen.includes(each)} /> {categoryOf(each)}
          </label>
        ))}
      </fieldset>
      <label>
        Phones as they are dialled in
        <input name="regions" defaultValue={regions.join(", ")} pattern="[A-Za-z]{2}([\s,]+[A-Za-z]{2})*[\s,]*" title="Countries as two letters, such as DE, FR" placeholder="DE, FR" autocomplete="off" />
      </label>
    </>
  );
}

/** At least one: none would stand for the usual ones. Answers come in pieces, which not every kind can look at. */
function Stages({ filter, kind }: { filter: Filter | undefined; kind: Kind }): JSX.Element {
  const [chosen, setChosen] = useState(filter ? stagesOf(filter) : USUAL_STAGES);
  const offered = [...new Set([...USUAL_STAGES, ...(MASKING.includes(kind) ? [FilterStage.ANSWER] : []), ...chosen])];
  const toggle = (stage: FilterStage) => () =>
    setChosen(chosen.includes(stage) ? chosen.filter((each) => each !== stage) : [...chosen, stage]);
  return (
    <fieldset>
      <legend>Looks at</legend>
      {offered.map((stage, index) => (
        <label key={stage} class="check">
          <input type="checkbox" name="stages" value={stage} checked={chosen.includes(stage)} required={!index && !chosen.length} onChange={toggle(stage)} />{" "}
          {STAGES[stage] ?? "something that this page is too old to know"}
        </label>
      ))}
    </fieldset>
  );
}
