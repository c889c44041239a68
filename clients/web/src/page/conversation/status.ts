// What a turn that has not ended is doing, in a few words.

import type { Handoff } from "../../gen/antiphon/events/v1/handoff_pb";
import { type ToolCall, type TurnView, begunBy, isQueued, stateOf } from "../../antiphon";

/** What comes first: what people have to do, then what it waits for, then what it says itself. */
export function statusOf(turn: TurnView): string {
  if (turn.isStopping) return "stopping…";
  if (isQueued(turn)) return turn.ahead ? `waiting for ${turn.ahead} before it` : "waiting";
  if (turn.handoff) return waitingOfPeople(turn.handoff);
  if (turn.waiting.length) return waitingFor(turn);
  const running = turn.toolCalls.filter((call) => stateOf(call, false) === "runs");
  if (running.length) return waitingOn(running);
  return turn.status || (turn.text ? "answering" : turn.worker ? "at work" : "thinking");
}

function waitingOfPeople({ claimedBy, heldFor }: Handoff): string {
  if (claimedBy) return "a person is at it";
  return heldFor ? "waiting until a person has looked at it" : "waiting for people";
}

/** What people have to do: an approval comes first. */
function waitingFor(turn: TurnView): string {
  const isToApprove = turn.waiting.some((call) => stateOf(call, false) === "waits");
  return isToApprove ? "waiting for approval" : "waiting for an answer";
}

function waitingOn(running: ToolCall[]): string {
  const others = running.filter(begunBy).length;
  if (others === running.length) return others > 1 ? `${others} others work for it` : "another works for it";
  return running.length > 1 ? `calling ${running.length} tools` : "calling a tool";
}
