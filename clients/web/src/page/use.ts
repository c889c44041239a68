// Showing what changes.

import { useEffect, useState } from "preact/hooks";
import type { Changing } from "../antiphon";

/** Draw again whenever it changes. */
export function useChanges<Shown extends Changing | undefined>(shown: Shown): Shown {
  const [, draw] = useState(0);
  useEffect(() => {
    draw((count) => count + 1);
    return shown?.onChange(() => draw((count) => count + 1));
  }, [shown]);
  return shown;
}

/** The clock, once in a while. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
