// Below a message: how it ended, what can be done with it, and figures for who asks for them.

import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import type { TurnView } from "../../antiphon";
import { TurnState } from "../../gen/antiphon/events/v1/event_pb";
import { FinishReason } from "../../gen/antiphon/integration/v1/model_pb";
import { CopyButton, Icon, Notice } from "../parts";
import { visible } from "../visible";
import { consumed, cutShort, described, duration, leftOut, notBy, sentenceOf, untold, withheld } from "../words";
import { routeOf } from "./route";
import { workerOf } from "./worker";

const ENDINGS: Partial<Record<TurnState, string>> = {
  [TurnState.CANCELLED]: "stopped",
  [TurnState.FAILED]: "broken off",
  [TurnState.EXPIRED]: "out of time",
};

const BY_PEOPLE = new Set(["HANDOFF_DECLINED", "HANDOFF_EXPIRED"]);

/** What may be done with an answer. */
export interface Doings {
  again?: (() => void) | undefined;
  goOn?: (() => void) | undefined;
}

/** `text` is what is copied; empty where nothing was said. */
export function Facts(props: {
  turn: TurnView | undefined;
  text: string;
  isTruncated: boolean;
  doings: Doings;
}): JSX.Element {
  const { turn, doings } = props;
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const facts = turn ? factsOf(turn) : [];
  const isGood = turn?.state === TurnState.SUCCEEDED;
  return (
    <footer class="facts">
      {turn?.error && <Notice text={sentenceOf(turn.error)} />}
      <Ending turn={turn} isTruncated={props.isTruncated} />
      {turn && turn.describedParts > 0 && <span class="quiet">{described(turn.describedParts)}</span>}
      {turn && turn.withheldTools > 0 && <span class="quiet">{withheld(turn.withheldTools)}</span>}
      {turn && turn.omittedTexts > 0 && <span class="quiet">{untold(turn.omittedTexts)}</span>}
      {turn && <NotByTheFirst turn={turn} />}
      {doings.goOn && turn?.finishReason === FinishReason.LENGTH && (
        <button type="button" class="link" onClick={doings.goOn}>
          Continue
        </button>
      )}
      {props.text && <CopyButton text={props.text} label="Copy message" />}
      {doings.again && turn && (
        <button type="button" class={isGood ? "copy" : "link"} onClick={doings.again} aria-label="Ask again" title="Ask again">
          {isGood ? <Icon name="retry" /> : "Ask again"}
        </button>
      )}
      {facts.length > 0 && (
        <button
          type="button"
          class="copy"
          aria-expanded={isOpen}
          aria-controls={id}
          aria-label="Details"
          title="Details"
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name="info" />
        </button>
      )}
      <span class="fact-line" id={id} hidden={!isOpen}>
        {facts.map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
      </span>
    </footer>
  );
}

/** By which model it is, if not by the first, and why not by those before; a failure says it of all. */
function NotByTheFirst({ turn: { model, skippedModels, error } }: { turn: TurnView }): JSX.Element | null {
  if (!skippedModels.length || error?.variables["others"]) return null;
  const told = [...(model && !error ? [`by ${model}`] : []), ...skippedModels.map(notBy)];
  return <span class="quiet">{visible(told.join(" · "))}</span>;
}

/** Why it ended early, if it did. */
function Ending({ turn, isTruncated }: { turn: TurnView | undefined; isTruncated: boolean }): JSX.Element | null {
  if (turn?.error && BY_PEOPLE.has(turn.error.reason)) return null; // it says so itself
  const ending = (turn && (ENDINGS[turn.state] ?? cutShort(turn.finishReason, turn.outputLimit))) || (isTruncated ? "cut off" : "");
  if (!ending) return null;
  const isWished = turn?.state === TurnState.CANCELLED;
  return <span class={`ending ${isWished ? "" : "wrong"}`}>{ending}</span>;
}

/** Why by whom, by which model, for how much, how fast. */
function factsOf(turn: TurnView): string[] {
  const took = turn.endMs && turn.startMs ? duration(turn.endMs - turn.startMs) : "";
  return [routeOf(turn), turn.model, workerOf(turn), consumed(turn.usage), leftOut(turn.omittedMessages), took].filter(Boolean);
}
