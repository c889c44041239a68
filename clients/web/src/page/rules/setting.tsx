// Having changed rules hold.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Notice } from "../parts";
import { sentenceOf } from "../words";

/** Why, for the history, and then all of them at once; what others have set meanwhile is not lost. */
export function Setting(props: {
  waiting: string;
  onSet: (comment: string) => Promise<void>;
  /** What stands may be others. */
  onRefused: () => void;
  onDiscard: () => void;
}): JSX.Element {
  const [error, setError] = useState("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    try {
      await props.onSet(`${new FormData(event.currentTarget as HTMLFormElement).get("comment")}`.trim());
    } catch (thrown) {
      setError(sentenceOf(thrown));
      props.onRefused();
    }
  };
  return (
    <form class="setting" onSubmit={submit}>
      {error && <Notice text={error} />}
      <p role="status">{props.waiting}</p>
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
