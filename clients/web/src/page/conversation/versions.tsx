// The answers to what was asked more than once: one is shown, in the place of the first.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Entry, Thread, TurnView } from "../../antiphon";
import { IconButton } from "../parts";
import type { Doings } from "./facts";
import type { Deciding } from "./call";
import { Ended, Sending, UnderWay } from "./under_way";

/** The newest answer, and the way to those before it. `say` draws one that was said. */
export function Versions(props: {
  thread: Thread;
  question: Entry;
  turnIds: string[];
  /** The turn whose answer somebody wants to see, if any. */
  soughtTurnId: string | undefined;
  doings: Doings;
  deciding: Deciding;
  say: (answer: Entry, turn: TurnView) => JSX.Element;
}): JSX.Element {
  const { turnIds, soughtTurnId = "" } = props;
  const [chosen, choose] = useState(turnIds.length - 1);
  useEffect(() => choose(turnIds.length - 1), [turnIds.length]);
  const soughtAt = turnIds.indexOf(soughtTurnId);
  useEffect(() => {
    if (soughtAt >= 0) choose(soughtAt);
  }, [soughtAt]);
  const at = Math.min(chosen, turnIds.length - 1);
  return (
    <div class="versions">
      <Version {...props} turnId={turnIds[at]!} />
      <nav class="facts" aria-label="Answers to this question">
        <IconButton name="before" label="The answer before" disabled={at === 0} onClick={() => choose(at - 1)} />
        <span>
          answer {at + 1} of {turnIds.length}
        </span>
        <IconButton name="after" label="The next answer" disabled={at === turnIds.length - 1} onClick={() => choose(at + 1)} />
      </nav>
    </div>
  );
}

function Version(props: Parameters<typeof Versions>[0] & { turnId: string }): JSX.Element | null {
  const { thread, turnId, doings, deciding } = props;
  const outgoing = thread.outgoing.find((each) => each.turnId === turnId);
  const turn = thread.turn(turnId);
  const answer = turn && thread.entry(turn.replyMessageId);
  if (turn && answer) return props.say(answer, turn);
  if (outgoing) return <Sending outgoing={outgoing} thread={thread} />;
  if (!turn) return null;
  if (!turn.isDone) return <UnderWay turn={turn} version={thread.version} question={undefined} asker="" deciding={deciding} />;
  return <Ended turn={turn} doings={doings} deciding={deciding} />;
}
