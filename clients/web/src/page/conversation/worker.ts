// Which worker has a turn.

import type { TurnView } from "../../antiphon";
import { visible } from "../visible";

/** Who works on it: what the worker is one of, and its version. */
export function workerOf({ worker }: TurnView): string {
  if (!worker) return "";
  return visible(`worker ${worker.deployment}${worker.version && ` ${worker.version}`}`);
}
