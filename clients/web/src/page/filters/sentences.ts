// Why something was not taken, in sentences that say what to do.

import type { AntiphonError } from "../../antiphon";
import { visible } from "../visible";
import { foundIn } from "./categories";

const THROTTLED =
  "More came from here than is usual, so little is taken for a while. If that is a mistake, ask an admin: they see why, and can clear it.";

/** What a filter says, or a detector has set, to whoever said something; empty of all else. */
export function notTaken(error: AntiphonError): string {
  if (error.reason === "THROTTLED") return THROTTLED;
  if (error.reason === "FILTER_UNAVAILABLE") {
    return `${named(error)} can't look at this now, and nothing passes that it has not looked at.`;
  }
  if (!error.isRefusal) return "";
  return `${named(error)} refuses this, because of ${found(error)}. Nothing of it was stored. Change it, and send it again.`;
}

/** The same of what a tool has returned. */
export function keptBack(error: AntiphonError): string {
  return `${named(error)} kept back what it returned, because of ${found(error)}.`;
}

/** Whether all that helps is to wait. */
export function isOfTime({ reason }: AntiphonError): boolean {
  return reason === "FILTER_UNAVAILABLE" || reason === "THROTTLED";
}

function named({ variables }: AntiphonError): string {
  return `The filter ${visible(variables["filter"] ?? "")}`;
}

function found({ variables }: AntiphonError): string {
  return foundIn((variables["categories"] ?? "").split(","));
}
