// Trying what filters would do with a text.

import { create } from "@bufbuild/protobuf";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { textOf } from "../../antiphon";
import { type Filter, FilterAction, FilterSchema, FilterStage } from "../../gen/antiphon/context/v1/filter_pb";
import type { TryFiltersResponse } from "../../gen/antiphon/context/v1/filter_service_pb";
import type { Desk } from "../desk";
import { Notice } from "../parts";
import { Table } from "../table";
import { OF_ALL } from "../usage/budgets";
import { visible } from "../visible";
import { sentenceOf } from "../words";
import { saidBy, wantedBy } from "./words";

// None at all would stand for those that are set.
const NONE = [create(FilterSchema, { name: "none", action: FilterAction.FLAG, disabled: true, kind: { case: "payload", value: {} } })];

/** It is not said, and nothing of it is stored. A `draft` is tried in place of what is set. */
export function Trial({ desk, parent, draft }: { desk: Desk; parent: string; draft: Filter[] | undefined }): JSX.Element {
  const [found, setFound] = useState<TryFiltersResponse>();
  const [error, setError] = useState("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const parts = [{ content: { case: "text" as const, value: `${data.get("text")}` } }];
    const filters = draft?.length === 0 ? NONE : (draft ?? []);
    try {
      setFound(await desk.session.stubs.filters.tryFilters({ parent, filters, parts, stage: Number(data.get("stage")) }));
      setError("");
    } catch (thrown) {
      setFound(undefined);
      setError(sentenceOf(thrown));
    }
  };
  return (
    <section>
      <h2>Try a text</h2>
      <form onSubmit={submit}>
        <p class="quiet" id="trial-hint">
          It is not said, and nothing of it is stored.{draft && " Your changes are tried, which are not set yet."}
        </p>
        <textarea name="text" rows={3} required dir="auto" aria-label="The text" aria-describedby="trial-hint" />
        <div class="row">
          <select name="stage" aria-label="Where it comes from">
            <option value={FilterStage.MESSAGE}>somebody says it</option>
            <option value={FilterStage.TOOL_RESULT}>a tool returns it</option>
            <option value={FilterStage.ANSWER}>it is answered</option>
          </select>
          <button type="submit">Try</button>
        </div>
      </form>
      {error && <Notice text={error} />}
      <div role="status" class="trial">
        {found && <Found found={found} />}
      </div>
    </section>
  );
}

function Found({ found }: { found: TryFiltersResponse }): JSX.Element {
  return (
    <>
      <p>{outcomeOf(found)}</p>
      {!found.refused && found.action === FilterAction.SANITISE && (
        <pre dir="auto" tabIndex={0} aria-label="What would be left">
          {visible(textOf(found.parts))}
        </pre>
      )}
      {found.verdicts.length > 0 && (
        <Table
          label="What filters say"
          isStacked
          rows={found.verdicts}
          keyOf={({ parent, filter }) => `${parent} ${filter}`}
          columns={[
            { name: "filter", cell: (each) => visible(each.filter) },
            { name: "found", cell: (each) => <span class="title">{saidBy(each)}</span> },
            { name: "places", cell: (each) => each.found.toLocaleString(), isNumber: true },
            { name: "what it finds", cell: (each) => wantedBy(each) },
            { name: "of", cell: (each) => (each.parent === OF_ALL ? "all workspaces" : "this workspace") },
          ]}
        />
      )}
    </>
  );
}

function outcomeOf({ refused, action, verdicts }: TryFiltersResponse): string {
  if (refused) return "It would be refused, and stored nowhere.";
  if (action === FilterAction.HOLD) return "It would wait until a person has looked at it.";
  if (action === FilterAction.SANITISE) return "It would go on so:";
  if (!verdicts.length) return "It would go on as it is: no filter has anything to say.";
  return "It would go on as it is, and be told of.";
}
