// Having changed filters hold.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Filter, Filters } from "../../gen/antiphon/context/v1/filter_pb";
import type { Desk } from "../desk";
import { Notice } from "../parts";
import { sentenceOf } from "../words";

/** Why, for the history, and then all of them at once; what others have set meanwhile is not lost. */
export function Setting(props: {
  desk: Desk;
  parent: string;
  filters: Filter[];
  seen: bigint;
  onSet: (now: Filters) => void;
  /** What stands may be others. */
  onRefused: () => void;
  onDiscard: () => void;
}): JSX.Element {
  const { parent, filters, seen } = props;
  const [error, setError] = useState("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const comment = `${new FormData(event.currentTarget as HTMLFormElement).get("comment")}`.trim();
    try {
      const wanted = { parent, filters, comment, expectedRevision: seen };
      const { filters: now } = await props.desk.session.stubs.filters.setFilters(wanted);
      props.onSet(now!);
    } catch (thrown) {
      setError(sentenceOf(thrown));
      props.onRefused();
    }
  };
  return (
    <form class="setting" onSubmit={submit}>
      {error && <Notice text={error} />}
      <p role="status">Not set yet: what people say goes by the filters of before.</p>
      <div class="row">
        <input class="grow" name="comment" aria-label="Why they are changed" placeholder="Why, for the history" maxLength={256} autocomplete="off" />
        <button type="submit" class="primary">
          Set them
        </button>
        <button type="button" onClick={props.onDiscard}>
          Discard
        </button>
      </div>
    </form>
  );
}
