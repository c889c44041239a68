// Why a turn has its handler, where a rule has found it.

import type { TurnView } from "../../antiphon";
import { type RouteDecision, RouteOutcome } from "../../gen/antiphon/events/v1/route_pb";
import { visible } from "../visible";

/** In a few words; nothing where no rule decided. */
export function routeOf({ route }: TurnView): string {
  return route ? visible(why(route)) : "";
}

function why({ outcome, rule, handler, candidates, passedOver }: RouteDecision): string {
  const among = candidates.map((each) => `${each.handler} ${each.score.toFixed(2)}`).join(", ");
  switch (outcome) {
    case RouteOutcome.RULE:
      return `for ${handler} by the rule ${rule}`;
    case RouteOutcome.CLASSIFIED:
      return `chosen by the rule ${rule} among ${candidates.length}: ${among}`;
    case RouteOutcome.UNSURE:
      return `no expert is clearly the best, so by the fallback of ${rule}${among && `: ${among}`}`;
    case RouteOutcome.AWAY:
      return `nobody serves ${passedOver.join(", ")} now, so by the fallback of ${rule}`;
    default:
      return "";
  }
}
