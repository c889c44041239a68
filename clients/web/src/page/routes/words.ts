// Rules of routes in words.

import type { RouteMatch, RouteRule } from "../../gen/antiphon/dispatcher/v1/route_pb";

/** What a rule looks at: all of it must hold. */
export function matchesOf(match: RouteMatch | undefined): string[] {
  if (!match) return ["everything"];
  const said = [
    oneOf("type", match.types.map((type) => type || "(none)")),
    oneOf("a part", match.mediaTypes),
    pairs("metadata", match.metadata),
    pairs("labels", match.labels),
    oneOf("language", match.languages),
    oneOf("from", match.senders),
    oneOf("in", match.workspaces),
    oneOf("text", match.textPatterns),
    oneOf("who prefers", match.senderLocales),
    pairs("whose profile has", match.senderFields),
  ].filter(Boolean);
  return said.length ? said : ["everything"];
}

/** Who gets what it matches. */
export function goalOf({ handler, classifier }: RouteRule): string {
  if (!classifier) return handler;
  const { handlers, minScore, minMargin, ask } = classifier;
  const limits = [minScore && `from ${minScore}`, minMargin && `by ${minMargin}`].filter(Boolean).join(", ");
  return `best ${handlers.length ? `of ${handlers.join(", ")}` : "expert"}${limits && ` (${limits})`}${ask ? ", else asks" : ""}`;
}

function oneOf(name: string, values: string[]): string {
  return values.length ? `${name} ${values.join(" or ")}` : "";
}

function pairs(name: string, values: Record<string, string>): string {
  const told = Object.entries(values).sort().map(([key, value]) => `${key}=${value}`);
  return told.length ? `${name} ${told.join(", ")}` : "";
}
