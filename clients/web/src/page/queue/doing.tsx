// What can be done about something that waits for people.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { QueuedHandoff } from "../../gen/antiphon/dispatcher/v1/handoff_pb";
import type { Desk } from "../desk";
import { Notice } from "../parts";
import { visible } from "../visible";
import { sentenceOf } from "../words";
import { nameIn } from "./names";

/** What waits, and who looks at it. */
export type DoingProps = { desk: Desk; parent: string; queued: QueuedHandoff; onChange: () => void };

/** Whoever is at it, or nobody, is said; what a filter holds its author can't let go on. */
export function Doing(props: DoingProps): JSX.Element {
  const { desk, queued } = props;
  const { claimedBy, heldFor } = queued.handoff!;
  if (queued.item.case !== "turn") return <p class="quiet">This page is older than what waits here: reload it.</p>;
  const { actor } = desk.session;
  if (heldFor && queued.item.value.creator === actor) {
    return <p class="quiet">You said it, so another admin looks at it. You can stop it in its conversation.</p>;
  }
  return <Form {...props} isMine={claimedBy === actor} isTaken={claimedBy !== "" && claimedBy !== actor} />;
}

function Form({ desk, parent, queued, onChange, isMine, isTaken }: DoingProps & { isMine: boolean; isTaken: boolean }): JSX.Element {
  const [text, setText] = useState("");
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  const { handoffs } = desk.session.stubs;
  const { handoffId, claimedBy, heldFor } = queued.handoff!;
  const which = { conversationId: queued.conversationId, handoffId };
  const said = text.trim();
  const note = heldFor ? said : ""; // else it is an answer that was begun
  const act = (work: () => Promise<unknown>) => async () => {
    setBusy(true);
    setError("");
    try {
      await work();
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
    setBusy(false);
    onChange();
  };
  const way = (name: string, work: () => Promise<unknown>, isOff = isTaken, kind = "") => (
    <button type="button" class={`small ${kind}`} disabled={isBusy || isOff} onClick={act(work)}>
      {name}
    </button>
  );
  const answer = () => handoffs.answerHandoff({ ...which, text: said });
  return (
    <div class="answer-handoff">
      {error && <Notice text={error} />}
      {isTaken && <p class="quiet">{visible(nameIn(desk, parent, queued, claimedBy))} is at it.</p>}
      <Words text={text} isHeld={heldFor !== ""} isOff={isTaken} onInput={setText} />
      <div class="row end">
        {isTaken && way("Take over", () => handoffs.claimHandoff({ ...which, takeOver: true }), false)}
        {!claimedBy && way("Claim", () => handoffs.claimHandoff(which))}
        {isMine && way("Release", () => handoffs.releaseHandoff(which))}
        {heldFor && way("Answer", answer, isTaken || !said)}
        {way(heldFor ? "Refuse" : "Decline", () => handoffs.declineHandoff({ ...which, note }))}
        {way(heldFor ? "Let it go on" : "Give back", () => handoffs.returnHandoff({ ...which, note }), isTaken, heldFor && "primary")}
        {!heldFor && way("Answer", answer, isTaken || !said, "primary")}
      </div>
    </div>
  );
}

/** An answer; of what is held first of all why it is refused, or goes on. */
function Words(props: { text: string; isHeld: boolean; isOff: boolean; onInput: (text: string) => void }): JSX.Element {
  const { isHeld } = props;
  return (
    <textarea
      aria-label={isHeld ? "Why, or your answer" : "Your answer"}
      placeholder={isHeld ? "Why, which is told there; or your answer, in your name" : "Your answer, in your name"}
      rows={3}
      dir="auto"
      value={props.text}
      disabled={props.isOff}
      onInput={(event) => props.onInput(event.currentTarget.value)}
    />
  );
}
