// Schedules in words.

import { timestampDate } from "@bufbuild/protobuf/wkt";
import type { Schedule } from "../../gen/antiphon/dispatcher/v1/schedule_pb";

const WHY: Record<string, string> = {
  USER_DISABLED: "the account of whoever made it is disabled",
  NOT_FOUND: "whoever made it has no access there any more",
  PERMISSION_DENIED: "whoever made it may not post there any more",
  CONVERSATION_ARCHIVED: "the conversation is archived",
  HANDLER_NOT_FOUND: "nobody serves its handler",
};

const YEAR_MS = 365 * 86_400_000;

/** What it says of when it is due. */
export function whenOf({ when }: Schedule): string {
  if (when.case !== "cron") return "once";
  return `${when.value.expression} (${when.value.timeZone || "UTC"})`;
}

/** When it is due next by the clock of its place, or why never. */
export function nextOf(schedule: Schedule): string {
  if (schedule.paused) return "paused";
  if (!schedule.nextTime) return "never again";
  return shown(timestampDate(schedule.nextTime), schedule.when.case === "cron" ? schedule.when.value.timeZone || "UTC" : undefined);
}

/** What became of the newest due time: a state, and more of it. */
export function lastOf({ lastError, lastTurnId, lastTime }: Schedule): [string, string] {
  if (lastError) return ["failed", WHY[lastError] ?? lastError];
  if (lastTurnId) return ["started", ""];
  return lastTime ? ["left out", ""] : ["", ""];
}

/** A time that names its zone; of a zone that this browser doesn't know, by its own clock. */
function shown(time: Date, timeZone: string | undefined): string {
  const isFar = time.getTime() - Date.now() > YEAR_MS;
  const form: Intl.DateTimeFormatOptions = {
    weekday: "short",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
    ...(isFar && { year: "numeric" }),
  };
  try {
    return time.toLocaleString(undefined, { ...form, timeZone });
  } catch {
    return time.toLocaleString(undefined, form);
  }
}
