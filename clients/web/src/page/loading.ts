// Reading something for a view, again and again while it is looked at.

import { useCallback, useEffect, useState } from "preact/hooks";
import { sentenceOf } from "./words";

/** What was read, or why it was not. */
export interface Loaded<Value> {
  value: Value | undefined;
  error: string;
  reload: () => void;
}

/**
 * Read when the view comes, when `keys` change, and every `everyMs` if that is given: as long as
 * somebody looks.
 */
export function useLoaded<Value>(
  read: () => Promise<Value>,
  keys: unknown[],
  everyMs = 0,
): Loaded<Value> {
  const [value, setValue] = useState<Value>();
  const [error, setError] = useState("");
  const [count, setCount] = useState(0);
  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const shown = () => document.hidden || again();
    const again = () => {
      document.removeEventListener("visibilitychange", shown);
      void work();
    };
    const next = () => (document.hidden ? document.addEventListener("visibilitychange", shown) : again());
    const work = async () => {
      try {
        const found = await read();
        if (isOver) return;
        setValue(found);
        setError("");
      } catch (thrown) {
        if (!isOver) setError(sentenceOf(thrown));
      }
      if (everyMs && !isOver) timer = setTimeout(next, everyMs);
    };
    void work();
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", shown);
    };
  }, [...keys, count]);
  const reload = useCallback(() => setCount((was) => was + 1), []);
  return { value, error, reload };
}
