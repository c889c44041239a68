// Why a turn has its handler, where a rule has found it.

import type { TurnView } from "../../antiphon";
import { type RouteDecision, RouteOutcome, type RouteQuestion } from "../../gen/antiphon/events/v1/route_pb";
import { visible } from "../visible";

/** In a few words; nothing where no rule decided. */
export function routeOf({ route }: TurnView): string {
  return route ? visible(why(route)) : "";
}

/** In a few words, of a decision. */
export function why({ outcome, rule, handler, candidates, passedOver, question }: RouteDecision): string {
  const among = candidates.map((each) => `${each.handler} ${each.score.toFixed(2)}`).join(", ");
  switch (outcome) {
    case RouteOutcome.RULE:
      return `for ${handler} by the rule ${rule}`;
    case RouteOutcome.CLASSIFIED:
      return `chosen by the rule ${rule} among ${candidates.length}: ${among}`;
    case RouteOutcome.ASKED:
      return `the rule ${rule} asks who shall have it: ${question?.handlers.join(", ")}`;
    case RouteOutcome.CHOSEN:
      return `chosen by who was asked, as the rule ${rule} says: ${among}`;
    case RouteOutcome.UNSURE:
      return `no expert is clearly the best${cameOf(question)}, so by the fallback of ${rule}${among && `: ${among}`}`;
    case RouteOutcome.AWAY:
      return `nobody serves ${passedOver.join(", ")} now, so by the fallback of ${rule}`;
    default:
      return "";
  }
}

/** What came of asking; nothing where nobody was asked. */
function cameOf(question: RouteQuestion | undefined): string {
  if (!question) return "";
  return question.answeredBy ? " and none was chosen" : " and nobody answered in time";
}
