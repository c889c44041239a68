// Filters, and what they said, in words.

import {
  type Filter,
  FilterAction,
  FilterFailure,
  FilterStage,
  type FilterVerdict,
  type Screening,
} from "../../gen/antiphon/context/v1/filter_pb";
import { milliseconds } from "../../antiphon";
import { brief, visible } from "../visible";
import { took } from "../words";
import { foundIn } from "./categories";

const USUAL_MS = 2_000;
const MOST_OF_TERM = 24;
/** Where it looks if that is not said. */
export const USUAL_STAGES: readonly FilterStage[] = [FilterStage.MESSAGE, FilterStage.TOOL_RESULT];
/** Where a filter may look. */
export const STAGES: Partial<Record<FilterStage, string>> = {
  [FilterStage.MESSAGE]: "messages",
  [FilterStage.TOOL_RESULT]: "tool results",
  [FilterStage.ANSWER]: "answers",
};
/** What becomes of something in which it finds something. */
export const ACTIONS: Partial<Record<FilterAction, string>> = {
  [FilterAction.FLAG]: "is told of, and passes",
  [FilterAction.SANITISE]: "is cut out; the rest passes",
  [FilterAction.HOLD]: "waits until a person has looked at it",
  [FilterAction.BLOCK]: "is refused",
};
/** What a filter looks for. */
export const KINDS = {
  secrets: "keys, tokens and passwords",
  personalData: "personal data",
  terms: "words that are not to be said",
  payload: "scripts, control characters and hidden writing",
  repetition: "the same over and over",
  injection: "other orders for the model",
  remote: "what a program of yours says",
} as const;
/** One of them. */
export type Kind = keyof typeof KINDS;
/** Those that can mask answers, which come in pieces. */
export const MASKING: readonly Kind[] = ["secrets", "personalData", "terms", "payload"];

/** Its kind, with what that is told. */
export function looksFor({ kind }: Filter): string {
  switch (kind.case) {
    case undefined:
      return "something that this page is too old to know";
    case "personalData": {
      const { categories, regions } = kind.value;
      const of = regions.length ? `; phones as dialled in ${regions.join(", ")}` : "";
      return `personal data: ${categories.length ? foundIn(categories) : "all kinds"}${of}`;
    }
    case "terms":
      return termsOf([...kind.value.terms, ...kind.value.parts]);
    case "remote":
      return `what ${visible(kind.value.tool)} says`;
  }
  return KINDS[kind.case];
}

/** How many, and the first, by which one is told from another: only who may change them sees them. */
function termsOf(terms: string[]): string {
  const [first = ""] = terms;
  const more = terms.length > 1 ? ", …" : "";
  return `${terms.length.toLocaleString()} ${terms.length === 1 ? "term" : "terms"}: ${brief(first, MOST_OF_TERM)}${more}`;
}

/** What becomes of what it finds; of answers, which come in pieces, it is masked, whatever it does elsewhere. */
export function finding(filter: Filter): string {
  const stages = stagesOf(filter);
  const action = ACTIONS[filter.action] ?? "is told of";
  if (!stages.includes(FilterStage.ANSWER)) return action;
  return stages.length === 1 ? "is masked in answers" : `${action}; is masked in answers`;
}

/** Where it looks. */
export function stagesOf({ stages }: Filter): readonly FilterStage[] {
  return stages.length ? stages : USUAL_STAGES;
}

/** The same in words. */
export function where(filter: Filter): string {
  return stagesOf(filter).map((stage) => STAGES[stage] ?? "elsewhere").join(", ");
}

/** How long it may take. */
export function timeoutMs({ timeout }: Filter): number {
  return milliseconds(timeout) || USUAL_MS;
}

/** What becomes of what it could not look at, and when that is. */
export function failing(filter: Filter): string {
  const then = filter.onFailure === FilterFailure.OPEN ? "passes" : "refused";
  return `${then}, after ${took(timeoutMs(filter))}`;
}

/** What became of something. */
export function became({ action, refused }: Pick<Screening, "action" | "refused">): string {
  if (action === FilterAction.BLOCK) return "blocked";
  if (refused) return "refused";
  if (action === FilterAction.HOLD) return "held";
  if (action === FilterAction.SANITISE) return "sanitised";
  return action === FilterAction.FLAG ? "flagged" : "passed";
}

/** What one filter found, or why it could not look. */
export function saidBy({ failure, categories }: FilterVerdict): string {
  return failure ? `it could not look (${failure})` : foundIn(categories);
}

/** What of it one filter wants. */
export function wantedBy({ failure, action }: FilterVerdict): string {
  return failure && action !== FilterAction.BLOCK ? "nothing" : (ACTIONS[action] ?? "nothing");
}
