// The way to one message of a conversation, however long ago it was said.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Reached, Thread } from "../../antiphon";
import type { Sought } from "../desk";
import { Spinner } from "../parts";
import { hold } from "./following";
import { type Place, placeOf } from "./items";

const MARKED_MS = 3_000;
const MARK = "sought";
/** The part of what is seen that stays above it. */
const ABOVE = 0.25;

type Box = { current: HTMLElement | null };

/** How far one is on the way. */
export interface Seeking {
  /** How it ended; undefined while it goes on. */
  reached: Reached | undefined;
  /** Where it is shown, once that is known. */
  place: Place | undefined;
  /** Go on where it ended too far away. */
  goOn: () => void;
  stop: () => void;
}

/** Reads back to what is sought, shows it, and marks it for a moment. */
export function useSought(
  scroll: Box,
  content: Box,
  thread: Thread,
  sought: Sought | undefined,
  letGo: () => void,
): Seeking {
  const [reached, setReached] = useState<Reached>();
  const [tries, setTries] = useState(0);
  const [over, setOver] = useState<AbortController>();
  const isReady = !thread.isLoading;
  useEffect(() => {
    setReached(undefined);
    if (!sought || !isReady) return;
    const aborting = new AbortController();
    setOver(aborting);
    void thread.reach(sought.messageId, aborting.signal).then((found) => {
      if (aborting.signal.aborted && found !== "stopped") return;
      setReached(found);
    });
    return () => aborting.abort();
  }, [thread, sought, isReady, tries]);
  const place = sought && reached === "there" ? placeOf(thread, sought.messageId) : undefined;
  useEffect(() => {
    if (!place) return;
    letGo();
    // An answer that stands in the place of another one is drawn first.
    let end: (() => void) | undefined;
    const frame = requestAnimationFrame(() => (end = show(scroll.current, content.current, place.elementId)));
    return () => (cancelAnimationFrame(frame), end?.());
  }, [sought, place?.elementId]);
  return { reached: sought && reached, place, goOn: () => setTries(tries + 1), stop: () => over?.abort() };
}

/** Says how far it is, and how it ended where that is not seen. */
export function SeekingBar({ thread, seeking }: { thread: Thread; seeking: Seeking }): JSX.Element {
  const { reached } = seeking;
  const read = thread.reaching;
  return (
    <div class="seeking" role="status" aria-live="polite">
      {read !== undefined && (
        <p>
          <Spinner label="" /> Going back to it{read ? `: ${read.toLocaleString()} messages so far` : ""}
          <button type="button" class="link" onClick={seeking.stop}>
            Stay here
          </button>
        </p>
      )}
      {reached === "far" && (
        <p>
          It was said longer ago than that.
          <button type="button" class="link" onClick={seeking.goOn}>
            Go on
          </button>
        </p>
      )}
      {reached === "missing" && <p>That message is not here any more, or never was.</p>}
    </div>
  );
}

/** Its place is kept while what is above it is drawn, until somebody scrolls; it has the focus. */
function show(scroll: HTMLElement | null, content: HTMLElement | null, elementId: string): (() => void) | undefined {
  const found = document.getElementById(elementId);
  if (!scroll || !content || !found) return;
  hold(scroll, content, { messageId: elementId, below: scroll.clientHeight * ABOVE });
  found.tabIndex = -1;
  found.focus({ preventScroll: true });
  found.classList.add(MARK);
  const timer = setTimeout(() => found.classList.remove(MARK), MARKED_MS);
  return () => {
    clearTimeout(timer);
    found.classList.remove(MARK);
  };
}
