// What is looked for: words, and where, by whom and since when.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { SearchMessagesRequestSchema } from "../../gen/antiphon/memory/v1/search_service_pb";

const DAY_MS = 86_400_000;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** As it is chosen; an empty one of `place`, `author` and `since` means all. */
export interface Asked {
  query: string;
  /** The id of a conversation or of a workspace. */
  place: string;
  author: string;
  /** So many days ago, or a day (`2026-03-23`) of this browser's time zone. */
  since: string;
}

/** Nothing is chosen. */
export const ANYTHING: Asked = { query: "", place: "", author: "", since: "" };

/** Whether less than everything is looked through. */
export function isNarrowed({ place, author, since }: Asked): boolean {
  return place !== "" || author !== "" || since !== "";
}

/** The request for the `most` that fit best. */
export function requestOf(asked: Asked, most: number, now = Date.now()): MessageInitShape<typeof SearchMessagesRequestSchema> {
  const { query, place, author } = asked;
  const sinceMs = sinceOf(asked.since, now);
  return {
    query: query.trim(),
    ...(place.startsWith("conv_") ? { conversationIds: [place] } : { workspaceId: place }),
    authors: author ? [author] : [],
    ...(sinceMs === undefined ? {} : { notBefore: timestampFromMs(sinceMs) }),
    pageSize: most,
  };
}

/** When that was, in milliseconds; undefined of all times, and of what is no time. */
function sinceOf(since: string, now: number): number | undefined {
  if (/^\d+$/.test(since)) return now - Number(since) * DAY_MS;
  const ms = DATE.test(since) ? new Date(`${since}T00:00`).getTime() : NaN;
  return Number.isNaN(ms) ? undefined : ms;
}
