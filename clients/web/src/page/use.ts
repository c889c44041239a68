// Showing what changes.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Changing } from "../antiphon";

const IDLE_SHARE = 4;
const MOST_WAIT_MS = 1_000;

/** Draw again whenever it changes. */
export function useChanges<Shown extends Changing | undefined>(shown: Shown): Shown {
  const [, draw] = useState(0);
  useEffect(() => {
    draw((count) => count + 1);
    return shown?.onChange(() => draw((count) => count + 1));
  }, [shown]);
  return shown;
}

/**
 * A value that is drawn no more often than drawing it can bear: the next one waits for as long as
 * the last took, several times over. A long answer grows in larger steps, and the page stays quick.
 */
export function useSteady<Value>(value: Value): Value {
  const [shown, setShown] = useState(value);
  const newest = useRef(value);
  const began = useRef(0);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  newest.current = value;
  useEffect(() => () => clearTimeout(timer.current), []);
  useLayoutEffect(() => {
    const tookMs = began.current ? performance.now() - began.current : 0;
    began.current = 0;
    if (timer.current || shown === newest.current) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      began.current = performance.now();
      setShown(newest.current);
    }, Math.min(tookMs * IDLE_SHARE, MOST_WAIT_MS));
  });
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
