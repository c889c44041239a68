// What is shown to people: errors that say what to do, figures, times, names.

import { Code } from "@connectrpc/connect";
import { AntiphonError, errorOf } from "../antiphon";
import type { Part } from "../gen/antiphon/context/v1/message_pb";
import { isOfTime, keptBack, notTaken } from "./filters/sentences";
import { visible } from "./visible";
import { FinishReason, type SkippedModel, type Usage } from "../gen/antiphon/integration/v1/model_pb";

const TITLE_LENGTH = 60;
const SENTENCES: Record<string, string> = {
  CREDENTIALS_INVALID: "The name or the password is wrong.",
  TOO_MANY_ATTEMPTS: "Too many wrong attempts. Wait a little, then try again.",
  USER_DISABLED: "This account is disabled. Ask an operator.",
  LOGIN_EXPIRED: "This sign-in took too long, or was used already. Begin again.",
  LOGIN_DENIED: "You were not let in.",
  IDENTITY_UNKNOWN: "You have no account here yet. Ask an operator to link yours.",
  PROVIDER_UNAVAILABLE: "The identity provider can't be reached now. Try again later.",
  PROVIDER_REFUSES_CLIENT: "The identity provider does not know this server. Tell an operator.",
  PROVIDER_ANSWER_INVALID: "What the identity provider sent does not fit. Begin again.",
  PASSWORD_BREACHED: "That password stands in lists that attackers try first. Take another.",
  SESSION_REVOKED: "You were signed out. Sign in again.",
  TOKEN_EXPIRED: "Your session has ended. Sign in again.",
  RATE_LIMITED: "That was too much at once. Wait a moment, then try again.",
  OVERLOADED: "The server has too much to do. Try again in a moment.",
  DRAINING: "The server is restarting. Try again in a moment.",
  SERVICE_UNAVAILABLE: "The server can't be reached now. Try again in a moment.",
  STORE_UNAVAILABLE: "The server can't store anything now. Try again later.",
  PERMISSION_DENIED: "You may read this, but not do that.",
  SCOPE_MISSING: "This sign-in was limited, and does not cover that.",
  NOT_FOUND: "It does not exist, or you may not see it.",
  CONVERSATION_ARCHIVED: "The conversation is archived: it takes no new messages.",
  WORKSPACE_ERASED: "All that was said in the workspace was erased: nobody writes there any more.",
  WORKSPACE_PERSONAL: "It is somebody's own workspace: erase its conversations instead.",
  CONVERSATION_ERASED: "All that was said there was erased: nobody writes there any more.",
  HANDLER_NOT_FOUND: "Nobody of that name answers here any more. Choose another.",
  TURN_REJECTED: "An answer is under way; wait for it, or stop it.",
  TURN_LOST: "The server stopped in the middle of the answer. What had come is kept; ask again.",
  TURN_EXPIRED: "The answer took too long and was ended. What had come is kept.",
  MODEL_NOT_FOUND: "The server has no model of that name. Choose another.",
  MODEL_TIMEOUT: "{model} was silent for too long. Ask again, or choose another model.",
  MODEL_PROTOCOL: "The answer of {model} broke off. Ask again.",
  MODEL_REFUSED: "The model's provider refused the request. Tell an operator, or choose another.",
  MODEL_PROMPT_TOO_LONG: "This is longer than {model} can read. Ask it less at once, or choose another model.",
  ALREADY_EXISTS: "There is one of that name already. Choose another name.",
  TOOL_NOT_FOUND: "There is no such tool here: this conversation does not have it, or the model invented it.",
  TOOL_DENIED: "A rule of the workspace forbids it.",
  TOOL_CALL_CHANGED: "It is to be called with something else by now. Reload, and look again.",
  TOOL_CALL_ENDED: "It waits for nobody any more.",
  TOOL_CALL_LOST: "Its answer was lost. It may have run; nobody knows.",
  CONNECTION_UNAVAILABLE: "What it belongs to can't be reached now.",
  AUTHORIZATION_REQUIRED:
    "What it belongs to needs a person's consent: `antiphon connections authorize` asks for it.",
  DESCRIPTORS_REQUIRED:
    "What it belongs to does not say what it has: its connection needs a descriptor set.",
  CONNECTION_NEWER: "A newer server made what it belongs to, and this one does not know its kind.",
  HANDOFF_CLAIMED: "Somebody else is at it.",
  HANDOFF_ENDED: "It waits for nobody any more: somebody was faster, or it was stopped.",
  HANDOFF_EXPIRED: "It waited for people, and nobody came to it in time.",
  WEBHOOK_DISABLED: "It is disabled, so nothing is posted there. Enable it first.",
  ETAG_MISMATCH: "Somebody changed it meanwhile. Look again.",
  GAP: "Events are missing here, which must never be. Reload, and tell an operator.",
};

/** A sentence for people, which says what to do. */
export function sentenceOf(thrown: unknown): string {
  const error = thrown instanceof AntiphonError ? thrown : errorOf(thrown);
  const again = isOfTime(error) && error.retryAfterMs ? ` Try again in ${duration(error.retryAfterMs)}.` : "";
  return timelessOf(error) + again;
}

/** The same, without when it may be tried again what has to wait; of several models of which none answers, with all of them. */
export function timelessOf(thrown: unknown): string {
  const error = thrown instanceof AntiphonError ? thrown : errorOf(thrown);
  const others = error.variables["others"];
  return others ? `None of the models can answer: not ${visible(others)}, and ${ofOne(error)}` : ofOne(error);
}

function ofOne(error: AntiphonError): string {
  const wait = error.retryAfterMs ? ` (${duration(error.retryAfterMs)})` : "";
  if (error.reason === "INVALID_ARGUMENT") {
    const rules = Object.entries(error.violations).map(([field, rule]) => `${field}: ${rule}`);
    return rules.length ? `That can't be taken: ${rules.join("; ")}` : error.rawMessage;
  }
  if (error.reason === "INTERNAL") {
    return `The server made a mistake. Tell an operator: ${error.variables["request_id"] ?? ""}`;
  }
  if (error.reason === "OVERLOADED" && error.variables["model"]) {
    return `${modelOf(error)} writes as many answers as it may at once. Ask again soon, or choose another model.`;
  }
  if (error.reason === "MODEL_UNAVAILABLE") return unavailable(error);
  if (error.reason === "PRICE_UNKNOWN") return priceUnknown(error);
  if (error.reason === "CONNECTION_UNAVAILABLE" && error.variables["breaker"]) {
    return error.variables["breaker"] === "BY_HAND"
      ? "An operator has nothing sent to it."
      : `Calls of it have failed too often, so it is left alone for a while. Try again then.${wait}`;
  }
  if (error.reason === "PROVIDER_UNAVAILABLE" && error.variables["breaker"]) {
    return `The identity provider has failed too often and is left alone for a while. Try again then, or sign in otherwise.${wait}`;
  }
  if (error.reason === "BUDGET_EXCEEDED") return overBudget(error);
  if (error.reason === "HANDOFF_DECLINED") return declined(error);
  const refused = notTaken(error);
  if (refused) return refused;
  if (error.reason === "LIMIT_EXCEEDED") return `A limit is reached: ${error.rawMessage}`;
  if (error.reason) return (SENTENCES[error.reason] ?? error.rawMessage).replace("{model}", modelOf(error)) + wait;
  if (error.isAway) return "The server can't be reached. Is it running?";
  if (error.code === Code.DeadlineExceeded) return "The server took too long. Try again.";
  if (error.code === Code.Unauthenticated) return "Sign in to go on.";
  return error.rawMessage || "That did not work.";
}

function declined({ variables }: AntiphonError): string {
  const why = variables["why"];
  return why ? `A person has declined it: ${visible(why)}` : "A person has declined it.";
}

/** Which model it was, as it is called. */
function modelOf({ variables }: AntiphonError): string {
  return visible(variables["model"] || "the model");
}

/** Why a model is not asked, or did not answer, and when to come again. */
function unavailable(error: AntiphonError): string {
  const { variables, retryAfterMs } = error;
  if (variables["breaker"] === "BY_HAND") return `An operator has ${modelOf(error)} asked no more. Choose another model.`;
  const when = retryAfterMs ? `Ask again in ${Math.ceil(retryAfterMs / 1000)} s` : "Ask again soon";
  const why = variables["breaker"] ? "has failed too often and is left alone" : "is not available now";
  return `${modelOf(error)} ${why}. ${when}, or choose another model.`;
}

/** That a budget counts money, and nobody knows what this costs in it: who can say it. */
function priceUnknown({ variables }: AntiphonError): string {
  const { budget = "", currency = "money", target = "this model", kind } = variables;
  const known = variables["price_currency"];
  const help = kind === "tool" ? "Have an admin say its price, or leave it out of the budget." : "Choose another model, or ask an operator to give its prices.";
  if (known) return `${visible(target)} costs ${known}, and the budget ${budget} counts ${currency}. ${help}`;
  return `The budget ${budget} counts ${currency}, and what ${visible(target)} costs is not known. ${help}`;
}

/** What a budget had left, what was asked of it, and what helps: waiting, asking for less, whoever can raise it. */
function overBudget({ variables, retryAfterMs }: AntiphonError): string {
  const { budget = "", unit = "", parent = "", scope = "", subject = "", resets_at: resetsAt = "" } = variables;
  if (!parent) return "The budget that had too little left was changed just now. Ask again.";
  const isOfAll = parent === "global";
  const whose = scope === "API_KEY" ? ` of the API key ${subject}` : "";
  const [limit, spent, reserved, needed] = ["limit", "spent", "reserved", "needed"].map((name) =>
    amountOf(variables[name] ?? "", unit),
  );
  const who = isOfAll ? "an operator" : "an admin of the workspace";
  const isSpent = Number(variables["spent"]) + Number(variables["needed"]) > Number(variables["limit"]);
  const cheaper = /^[A-Z]{3}$/.test(unit) ? "choose a model that costs less, " : "";
  const rest = `ask for less, ${cheaper}or have ${who} raise it.`;
  const wait =
    retryAfterMs === undefined
      ? `Waiting does not help: ${rest}`
      : !isSpent && retryAfterMs < 60_000
        ? `Try again in ${duration(Math.max(retryAfterMs, 1_000))}${isOfAll ? "" : ", when answers under way may have left enough"}; or ${rest}`
        : `It begins anew ${resetsAt ? moment(Date.parse(resetsAt)) : `in ${duration(retryAfterMs)}`}: wait until then, ${rest}`;
  // Its sums are nobody's business but operators'.
  if (isOfAll) return `The installation's budget ${budget}${whose} has too little left. ${wait}`;
  return `The budget ${budget}${whose} has too little left. Of ${limit}, ${spent} went already, and ${reserved} may go for answers under way; this may take ${needed}. ${wait}`;
}

/** A decimal number of a currency, of tokens or of calls. */
function amountOf(text: string, unit: string): string {
  if (/^[A-Z]{3}$/.test(unit)) return money(BigInt(Math.round(Number(text) * 1e6)), unit);
  return `${Number(text).toLocaleString()} ${unit}`.trim();
}

/** Why a call of a tool came to nothing, if it did. */
export function failureOf(error: AntiphonError | undefined): string {
  if (!error) return "";
  const { why = "", path = "", rule = "", host = "", timeout_ms: limit = "" } = error.variables;
  switch (error.reason) {
    case "TOOL_ARGUMENTS_INVALID":
      return `What the model asked it does not fit: ${rule} (${path}).`;
    case "TOOL_TIMEOUT":
      return `It took more than ${duration(Number(limit))} and was closed. It may have done something.`;
    case "TOOL_FAILED":
      return `It could not be asked: ${why}`;
    case "CONTENT_BLOCKED":
      return keptBack(error);
    case "EGRESS_DENIED":
      return `This server may not call ${host}: ${why}`;
  }
  return sentenceOf(error);
}

/** How long a call took, which often is not long. */
export function took(ms: number): string {
  return ms < 1000 ? `${ms} ms` : duration(ms);
}

/** Milliseconds as people say them. */
export function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

/** An amount of money, small ones with as many digits as they need. */
export function money(micros: bigint, currency: string): string {
  const amount = Number(micros) / 1e6;
  return written(amount, currency, amount !== 0 && Math.abs(amount) < 0.01 ? 6 : 2);
}

/** A price, to the millionth. */
export function priceOf(micros: bigint, currency: string): string {
  return written(Number(micros) / 1e6, currency, 6);
}

function written(amount: number, currency: string, digits: number): string {
  return new Intl.NumberFormat(undefined, {
    style: "currency",
    currency: currency || "USD",
    minimumFractionDigits: 2,
    maximumFractionDigits: digits,
  }).format(amount);
}

/** What was consumed: tokens, and cost where prices are known. */
export function consumed(usage: Usage | undefined): string {
  if (!usage || usage.inputTokens + usage.outputTokens === 0n) return "";
  const about = usage.estimated ? "about " : "";
  const count = (usage.inputTokens + usage.outputTokens).toLocaleString();
  const parts = kindsOf(usage);
  const kinds = parts ? ` (${parts})` : "";
  const cost = usage.cost ? ` · ${money(usage.cost.micros, usage.cost.currency)}` : "";
  return `${about}${count} tokens${kinds}${cost}`;
}

/** Which of the tokens have prices of their own: cached ones, say, or those of sound. */
export function kindsOf(usage: Usage): string {
  const kinds: [bigint, string][] = [
    [usage.cachedTokens, "cached"],
    [usage.cacheWriteTokens, "put into the cache"],
    [usage.reasoningTokens, "reasoning"],
    [usage.audioInputTokens + usage.audioOutputTokens, "audio"],
  ];
  const told = kinds.filter(([count]) => count > 0n);
  return told.map(([count, name]) => `${count.toLocaleString()} ${name}`).join(", ");
}

/** That older messages were left out, if any were. */
export function leftOut(messages: number): string {
  return messages ? `${messages.toLocaleString()} older message${messages > 1 ? "s" : ""} left out` : "";
}

/** That the model does not take some of what was sent, if so. */
export function described(parts: number): string {
  return parts ? `${parts.toLocaleString()} attachment${parts > 1 ? "s" : ""} described to the model in words` : "";
}

/** That the model was not told of tools, if so. */
export function withheld(tools: number): string {
  return tools ? `without ${tools.toLocaleString()} tool${tools > 1 ? "s" : ""}, which the model does not take` : "";
}

/** That the model had no room for texts that stand beside the messages, if so. */
export function untold(texts: number): string {
  const what = texts > 1 ? "whiteboard and memories" : "whiteboard or memories";
  return texts ? `without ${what}, for which the model has no room` : "";
}

const WHY_NOT: Record<string, string> = {
  MODEL_NOT_FOUND: "can't be run there",
  MODEL_UNAVAILABLE: "is not available",
  MODEL_TIMEOUT: "took too long",
  MODEL_PROTOCOL: "broke off",
  MODEL_REFUSED: "refused",
  MODEL_PROMPT_TOO_LONG: "has no room for this",
  OVERLOADED: "has too much to do",
  BUDGET_EXCEEDED: "is beyond a budget",
  PRICE_UNKNOWN: "has no known price, which a budget needs",
};

/** Why the answer is not of that model. */
export function notBy({ model, errorReason, lacks }: SkippedModel): string {
  return lacks ? `${model} takes no ${lacks}` : `${model} ${WHY_NOT[errorReason] ?? errorReason}`;
}

/** Why one is signed out: a server that knows nothing of the session has not judged a password. */
export function whySignedOut(error: AntiphonError | undefined): string {
  if (!error?.reason) return "You were signed out.";
  const isUnknown = error.reason === "CREDENTIALS_INVALID" || error.reason === "TOKEN_INVALID";
  return isUnknown ? "This server does not know your session any more. Sign in again." : sentenceOf(error);
}

/** Why an answer ended early, if it did. */
export function cutShort(reason: FinishReason | undefined, limit: number): string {
  if (reason === FinishReason.LENGTH) {
    return limit ? `cut off at the limit of ${limit.toLocaleString()} tokens` : "cut off at the model's limit";
  }
  return reason === FinishReason.CONTENT_FILTER ? "the provider withheld the rest" : "";
}

/** A time of day, with the day where it is not today. */
export function moment(ms: number, now = Date.now()): string {
  const then = new Date(ms);
  const sameDay = then.toDateString() === new Date(now).toDateString();
  const time = then.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  if (sameDay) return time;
  const day = then.toLocaleDateString(undefined, { day: "numeric", month: "short" });
  return `${day}, ${time}`;
}

/** Under which heading a conversation stands. */
export function period(ms: number, now = Date.now()): string {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const days = Math.ceil((midnight - ms) / 86_400_000);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days <= 7) return "Last 7 days";
  return days <= 30 ? "Last 30 days" : "Older";
}

/** A conversation's title, from what is said first in it. */
export function titleOf(text: string): string {
  const line = text.trim().split("\n")[0]!.trim();
  if (line.length <= TITLE_LENGTH) return line;
  const cut = line.slice(0, TITLE_LENGTH);
  const end = cut.search(/\s\S*$/);
  return `${(end > TITLE_LENGTH / 2 ? cut.slice(0, end) : cut).replace(/[\s,;:.]+$/, "")}…`;
}

/** What someone is called who is known by an id alone. */
export function shortName(actor: string): string {
  const [kind, id = ""] = actor.split("/");
  if (kind === "handlers") return id;
  if (kind === "services") return `the ${id} service`;
  return `member ${id.slice(-4)}`;
}

/** One letter or two for a picture. */
export function initials(name: string): string {
  const words = name.trim().split(/[\s._@-]+/).filter(Boolean);
  return (words[0]?.[0] ?? "?").toUpperCase() + (words[1]?.[0] ?? "").toUpperCase();
}

/** A hue that is always the same for the same one. */
export function hueOf(actor: string): number {
  let hash = 0;
  for (const letter of actor) hash = (hash * 31 + letter.charCodeAt(0)) >>> 0;
  return hash % 360;
}

/** A message's part that is no text. */
export function inWords({ content }: Part): string {
  if (!content.case) return "Something that this page is too old to show: load it again.";
  return content.case === "text" ? content.value : `${content.case}: ${content.value.uri}`;
}
