// A turn that a turn has asked for: in the place of the call that began it, folded.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Child, TurnView } from "../../antiphon";
import { TurnState } from "../../gen/antiphon/events/v1/event_pb";
import { Icon } from "../parts";
import { useNow, useSteady } from "../use";
import { brief, visible } from "../visible";
import { duration, took } from "../words";
import { Answer } from "./answer";
import type { Deciding } from "./call";
import { Facts } from "./facts";
import { statusOf } from "./status";
import { workerOf } from "./worker";

const BRIEF = 200;
const SHOWN_AFTER_MS = 3_000;
const ENDS: Partial<Record<TurnState, [kind: string, words: string]>> = {
  [TurnState.SUCCEEDED]: ["succeeded", "done"],
  [TurnState.CANCELLED]: ["stopped", "stopped"],
  [TurnState.EXPIRED]: ["failed", "out of time"],
};

/** Folded it says who works on what, and how far that is; it unfolds where a person is waited for. */
export function Delegated({ child, deciding }: { child: Child; deciding: Deciding }): JSX.Element {
  const { turn, question } = child;
  const [chosen, choose] = useState<boolean>();
  const isOpen = chosen ?? deciding.waitsIn(turn);
  const [kind] = endOf(turn) ?? ["runs"];
  const toggle = (event: Event) => {
    event.preventDefault();
    choose(!isOpen);
  };
  return (
    <li class={`call child ${kind}`}>
      <details open={isOpen}>
        <summary onClick={toggle}>
          <Icon name="people" />
          <bdi class="call-name">{visible(turn.handler)}</bdi>
          {!isOpen && <span class="call-brief">{brief(question?.text ?? "", BRIEF)}</span>}
          <Standing turn={turn} />
        </summary>
        {isOpen && <Whole child={child} deciding={deciding} />}
      </details>
    </li>
  );
}

function endOf(turn: TurnView): [kind: string, words: string] | undefined {
  return turn.isDone ? (ENDS[turn.state] ?? ["failed", "failed"]) : undefined;
}

function Standing({ turn }: { turn: TurnView }): JSX.Element {
  const end = endOf(turn);
  const tookMs = end && turn.startMs ? turn.endMs - turn.startMs : 0;
  return (
    <span class="call-state">
      {!end && <span class="spinner" aria-hidden="true" />}
      {end?.[0] === "succeeded" && <Icon name="check" />}
      {end?.[0] === "failed" && <Icon name="alert" />}
      <span class="child-status">{end ? end[1] : visible(statusOf(turn))}</span>
      {!end && turn.fraction !== undefined && <progress value={turn.fraction} max={1} aria-label="Progress" />}
      {!end && <Elapsed sinceMs={turn.startMs} />}
      {tookMs > 0 && <span class="quiet">{took(tookMs)}</span>}
    </span>
  );
}

function Elapsed({ sinceMs }: { sinceMs: number }): JSX.Element | null {
  const passed = useNow(1000) - sinceMs;
  return sinceMs && passed > SHOWN_AFTER_MS ? <span class="quiet">{duration(passed)}</span> : null;
}

/** What it was told, what it says, and in that what it had others do. */
function Whole({ child, deciding }: { child: Child; deciding: Deciding }): JSX.Element {
  const { turn, question, answer } = child;
  const text = useSteady(answer?.text ?? turn.text);
  return (
    <div class="child-whole">
      {question && (
        <p class="child-asked" dir="auto">
          {visible(question.text)}
        </p>
      )}
      <Answer text={text} turn={turn} deciding={deciding} />
      {turn.worker && !turn.isDone && <p class="quiet">{workerOf(turn)}</p>}
      {turn.isDone && (
        <Facts turn={turn} text={text} isTruncated={answer?.isTruncated ?? false} doings={{}} />
      )}
    </div>
  );
}
