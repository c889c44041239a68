// What a search says of what it has found.

import type { MessageHit } from "../../gen/antiphon/memory/v1/search_service_pb";
import { visible } from "../visible";
import { isNarrowed } from "./asking";
import type { Searching } from "./searching";

const PARTS: Record<string, string> = {
  words: "its words",
  meaning: "its meaning",
  neighbours: "what was said beside it",
  speaker: "who said it",
  session: "what was said that day",
  date: "when it was said",
  question: "whether it asks or answers",
  length: "how much it says",
};

/** How many there are, or that there are none; nothing while that is not known. */
export function countOf(searching: Searching): string {
  const { found, hits, answered } = searching;
  if (!found) return searching.isLooking ? "Looking…" : "";
  if (!hits.length) return isNarrowed(answered) ? "Nothing of that was found there." : "Nothing of that was found in what you may read.";
  if (searching.isFull) return `The ${hits.length} that fit best; say more exactly what you look for to see others.`;
  if (searching.hasMore) return `The ${hits.length} that fit best`;
  return hits.length === 1 ? "1 message" : `${hits.length} messages, the best first`;
}

/** What was not looked through, if anything. */
export function leftOutOf({ found }: Searching): string {
  if (!found) return "";
  const { pendingConversations: pending, omittedConversations } = found;
  const are = pending === 1 ? "1 conversation is" : `${pending.toLocaleString()} conversations are`;
  if (pending) return `${are} still being read; what is in there comes by itself.`;
  return omittedConversations ? "You may read more conversations than one search looks through: choose a workspace for older ones." : "";
}

/** What the score is the sum of, what counts most first. */
export function whyOf({ parts }: MessageHit): string {
  const told = Object.entries(parts).filter(([, value]) => Math.abs(value) >= 0.005);
  const sorted = told.sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  return sorted.map(([name, value]) => `${PARTS[name] ?? visible(name)} ${value.toFixed(2)}`).join(" · ");
}
