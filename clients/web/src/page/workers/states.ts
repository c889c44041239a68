// What becomes of turns that a worker could have, in words.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Worker, WorkerState } from "../../gen/antiphon/dispatcher/v1/worker_service_pb";

const STATES: Partial<Record<WorkerState, [name: string, meaning: string]>> = {
  [WorkerState.READY]: ["ready", ""],
  [WorkerState.BUSY]: ["busy", "all its places are taken"],
  [WorkerState.DRAINING]: ["draining", "about to stop, given nothing more"],
};

/** What it is given now, and in a few words more why nothing. */
export function standingOf({ state, quarantineEndTime }: Worker): [name: string, meaning: string] {
  if (state !== WorkerState.QUARANTINED) return STATES[state] ?? ["unknown", ""];
  const until = quarantineEndTime ? ` until ${clock(timestampMs(quarantineEndTime))}` : "";
  return [`quarantined${until}`, "given nothing: it did not answer"];
}

/** To the second: it is a matter of seconds. */
function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}
