// What is remembered, in words.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Memory, MemoryKind, MemoryOrigin } from "../../gen/antiphon/memory/v1/memory_pb";

/** Kinds as people choose them. */
export const KINDS: Record<number, string> = {
  [MemoryKind.FACT]: "fact",
  [MemoryKind.PREFERENCE]: "preference",
  [MemoryKind.EVENT]: "event",
  [MemoryKind.NOTE]: "note",
};

const ORIGINS: Record<number, string> = {
  [MemoryOrigin.PERSON]: "put by a person",
  [MemoryOrigin.RULES]: "found in what you said",
  [MemoryOrigin.MODEL]: "found by a model",
};

/** Since when, or when, it holds; empty where nobody said. */
export function holdsOf({ validFrom, validUntil }: Memory): string {
  const begins = validFrom ? `since ${dayOf(timestampMs(validFrom))}` : "";
  const ends = validUntil ? `until ${dayOf(timestampMs(validUntil))}` : "";
  return [begins, ends].filter(Boolean).join(" ");
}

/** How it came about, and when. */
export function cameOf(memory: Memory, self: string): string {
  const isOwn = memory.origin === MemoryOrigin.PERSON && [memory.updater, memory.creator].find(Boolean) === self;
  const how = isOwn ? "put by you" : (ORIGINS[memory.origin] ?? "");
  const when = memory.createTime ? dayOf(timestampMs(memory.createTime)) : "";
  return [how, when].filter(Boolean).join(", ");
}

/** Where it is, if not among one's own. */
export function placeOf({ scope }: Memory): string {
  if (scope.startsWith("workspaces/")) return "in a workspace";
  return scope.startsWith("conversations/") ? "in a conversation" : "";
}

/** A day. */
export function dayOf(ms: number): string {
  return new Date(ms).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}
