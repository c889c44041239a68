// Webhooks and their deliveries in words.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Delivery, DeliveryOutcome, DeliveryState, type Webhook } from "../../gen/antiphon/dispatcher/v1/webhook_pb";
import { NotificationKind, TurnState, WebhookDisabledReason } from "../../gen/antiphon/events/v1/event_pb";
import { visible } from "../visible";
import { moment } from "../words";

/** What may be told. */
export const TOLD: Partial<Record<NotificationKind, string>> = {
  [NotificationKind.TURN_ENDED]: "an answer has ended",
  [NotificationKind.TURN_WAITING]: "a call of a tool waits for people",
  [NotificationKind.TURN_HANDED_OFF]: "an answer is left to people",
  [NotificationKind.HANDOFF_ENDED]: "people have dealt with one",
};
/** How an answer may have ended. */
export const ENDS: Partial<Record<TurnState, string>> = {
  [TurnState.SUCCEEDED]: "succeeded",
  [TurnState.FAILED]: "failed",
  [TurnState.CANCELLED]: "stopped",
  [TurnState.EXPIRED]: "out of time",
};
const OUTCOMES: Record<DeliveryOutcome, string> = {
  [DeliveryOutcome.UNSPECIFIED]: "not tried yet",
  [DeliveryOutcome.TAKEN]: "taken",
  [DeliveryOutcome.REFUSED]: "not taken",
  [DeliveryOutcome.TIMEOUT]: "no answer within 15 s",
  [DeliveryOutcome.UNREACHABLE]: "no connection, or it broke",
  [DeliveryOutcome.EGRESS_DENIED]: "calls to that address are not allowed from there",
  [DeliveryOutcome.SECRET_LOST]: "its secret was another installation's: make a new one",
  [DeliveryOutcome.ACCESS_LOST]: "whose it is may not read there any more, so nothing is posted",
};
const WHY: Partial<Record<WebhookDisabledReason, string>> = {
  [WebhookDisabledReason.GONE]: "It answered that it is gone.",
  [WebhookDisabledReason.FAILING]: "For three days it has taken nothing.",
};
const TYPES: Record<string, string> = {
  "turn.waiting": "a call waits for people",
  "turn.handed_off": "left to people",
  "handoff.ended": "people have dealt with it",
};

/** When it is told something. */
export function toldOf({ kinds, states, handlers, workspaces }: Webhook): string {
  const limits = [
    handlers.length && `by ${handlers.map(visible).join(", ")}`,
    states.length && `that end as ${states.map((each) => ENDS[each] ?? "otherwise").join(" or ")}`,
    workspaces.length && `in ${workspaces.length} workspace${workspaces.length > 1 ? "s" : ""}`,
  ].filter(Boolean);
  const what = kinds.length ? kinds.map((each) => TOLD[each] ?? "something else happens").join(", or ") : "an answer has ended, or waits for people";
  return `Told when ${what}.${limits.length ? ` Only answers ${limits.join(", ")}.` : ""}`;
}

/** How it stands, and why so. */
export function stateOf({ disabled, disabledReason, failingSince, fullSince, droppedCount }: Webhook): [string, string] {
  const dropped = droppedCount ? `${droppedCount.toLocaleString()} of what it should have been told was not kept.` : "";
  const because = (words: string) => [words, dropped].filter(Boolean).join(" ");
  if (disabled) return ["disabled", because(WHY[disabledReason] ?? "")];
  if (fullSince) return ["full", because(`Since ${moment(timestampMs(fullSince))} so much waits for it that no more is kept.`)];
  return failingSince ? ["failing", because(`It has taken nothing since ${moment(timestampMs(failingSince))}.`)] : ["on", dropped];
}

/** What a delivery tells, of which answer. */
export function whatOf({ message }: Delivery): string {
  const told = message?.data;
  if (!told) return visible(message?.type ?? "");
  return `${visible(told.handler)}: ${TYPES[message.type] ?? ENDS[told.state] ?? "ended"}`;
}

/** What came of an attempt. */
export function cameBack({ outcome, statusCode }: { outcome: DeliveryOutcome; statusCode: number }): string {
  const said = OUTCOMES[outcome] ?? "something newer than this page";
  return statusCode ? `${said}: HTTP status ${statusCode}` : said;
}

/** How it stands with a delivery. */
export function standing({ state }: Delivery): string {
  if (state === DeliveryState.DELIVERED) return "delivered";
  return state === DeliveryState.FAILED ? "failed" : "waiting";
}
