// A window: closing a flag.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Flag } from "../../gen/antiphon/context/v1/anomaly_pb";
import type { Desk } from "../desk";
import { Dialog, Notice } from "../parts";
import { sentenceOf } from "../words";

/** Asks why, which the audit trail keeps. */
export function ClearDialog(props: {
  desk: Desk;
  /** Who asks: operators do for all, whatever workspace's detector it was. */
  parent: string;
  flag: Flag;
  label: string;
  onCleared: () => void;
  onClose: () => void;
}): JSX.Element {
  const { parent, flag: { flagId } } = props;
  const [error, setError] = useState("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const reason = `${new FormData(event.currentTarget as HTMLFormElement).get("reason")}`.trim();
    try {
      await props.desk.session.stubs.anomalies.clearFlag({ parent, flagId, reason });
      props.onCleared();
      props.onClose();
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
  };
  return (
    <Dialog title={`Clear ${props.label}?`} onClose={props.onClose}>
      <form onSubmit={submit}>
        {error && <Notice text={error} />}
        <p>What the flag does ends within a second, and what was counted is forgotten. If it goes on, there is another one.</p>
        <label>
          Why
          <input name="reason" required maxLength={256} pattern=".*\S.*" title="The audit trail keeps it" autofocus autocomplete="off" />
        </label>
        <button type="submit" class="primary">
          Clear it
        </button>
      </form>
    </Dialog>
  );
}
