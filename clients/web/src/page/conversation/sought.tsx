// The way to one message of a conversation, however long ago it was said.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Reached, Thread } from "../../antiphon";
import type { Sought } from "../desk";
import { Spinner } from "../parts";
import { type Box, hold, holdWhatIsRead } from "./following";
import { type Place, placeOf } from "./items";
import { passageIn } from "./passage";

const MARKED_MS = 3_000;
/** So long what is read is held in its place while what is sought is looked for. */
const LONGEST_MS = 120_000;
const MARK = "sought";
/** The part of what is seen that stays above it. */
const ABOVE = 0.25;

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
    let isOver = false;
    setOver(aborting);
    const letGoOfRead = holdWhatIsRead(scroll.current, content.current, LONGEST_MS);
    void thread.reach(sought.messageId, aborting.signal).then((found) => {
      letGoOfRead();
      if (!isOver) setReached(found);
    });
    return () => {
      isOver = true;
      aborting.abort();
    };
  }, [thread, sought, isReady, tries]);
  const place = sought && reached === "there" ? placeOf(thread, sought.messageId) : undefined;
  useEffect(() => {
    if (!place) return;
    letGo();
    // An answer that stands in the place of another one is drawn first.
    let end: (() => void) | undefined;
    const frame = requestAnimationFrame(() => (end = show(scroll.current, content.current, place.elementId, sought?.words ?? [])));
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

/**
 * Show it, mark it for a moment, and give it the focus. Its place is kept while what is above it is
 * drawn, until somebody scrolls. Of a long one that is shown where the words stand for which it was
 * found. Returns what takes the mark away.
 */
function show(scroll: HTMLElement | null, content: HTMLElement | null, elementId: string, words: string[]): (() => void) | undefined {
  const message = document.getElementById(elementId);
  if (!scroll || !content || !message) return;
  const { ranges, best } = passageIn(message, words);
  const topOfMessage = () => document.getElementById(elementId)?.getBoundingClientRect().top;
  const topOfBest = () => (best?.startContainer.isConnected ? best.getBoundingClientRect().top : undefined);
  const isFarDown = (topOfBest() ?? 0) - (topOfMessage() ?? 0) > scroll.clientHeight / 2;
  hold(scroll, content, () => (isFarDown ? topOfBest() : undefined) ?? topOfMessage(), scroll.clientHeight * ABOVE);
  message.tabIndex = -1;
  message.focus({ preventScroll: true });
  message.classList.add(MARK);
  if ("highlights" in CSS) CSS.highlights.set(MARK, new Highlight(...ranges));
  const unmark = () => {
    message.classList.remove(MARK);
    if ("highlights" in CSS) CSS.highlights.delete(MARK);
  };
  const timer = setTimeout(unmark, MARKED_MS);
  return () => (clearTimeout(timer), unmark());
}
