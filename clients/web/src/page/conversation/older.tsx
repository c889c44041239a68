// What was said before what is shown.

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Thread } from "../../antiphon";
import { Spinner } from "../parts";

/** Older messages come when their place is seen; what is read stays where it is. */
export function Older(props: { thread: Thread; scroll: { current: HTMLDivElement | null } }): JSX.Element | null {
  const { thread, scroll } = props;
  const mark = useRef<HTMLDivElement>(null);
  const height = useRef(0);
  const load = () => {
    height.current = scroll.current?.scrollHeight ?? 0;
    void thread.loadOlder();
  };
  useEffect(() => {
    if (!mark.current || !scroll.current) return;
    const seen = new IntersectionObserver(([entry]) => entry?.isIntersecting && load(), {
      root: scroll.current,
      rootMargin: "300px",
    });
    seen.observe(mark.current);
    return () => seen.disconnect();
  }, [thread, thread.hasOlder, thread.known]);
  useLayoutEffect(() => {
    const { current } = scroll;
    if (!current || !height.current || thread.isLoadingOlder) return;
    current.scrollTop += current.scrollHeight - height.current;
    height.current = 0;
  }, [thread.messages.length, thread.isLoadingOlder]);
  if (!thread.hasOlder) return null;
  return (
    <div class="older" ref={mark}>
      {thread.isLoadingOlder ? (
        <Spinner label="Loading earlier messages" />
      ) : (
        <button type="button" class="link" onClick={load}>
          Earlier messages
        </button>
      )}
    </div>
  );
}
