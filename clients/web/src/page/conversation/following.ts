// Where one reads: at the end of what is being said, or where one scrolled to.

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Thread } from "../../antiphon";

const NEAR_PX = 80;
const SETTLING_MS = 1_000;
const MOST_PAGES = 10;

/** An element that is there once it was drawn. */
export type Box = { current: HTMLElement | null };

/** A message, and how far below the upper edge it begins. */
interface Reading {
  messageId: string;
  below: number;
}

/** Where one was in conversations that were left, as long as the page lives. */
const left = new Map<string, Reading>();

/**
 * The view stays at its end while an answer grows, until somebody scrolls up: only what makes the
 * position smaller while nothing shrinks is a scroll of theirs. What is drawn late is no scroll.
 */
export function useFollowing(scroll: Box, content: Box, thread: Thread, isSought: boolean) {
  const [isAtEnd, setAtEnd] = useState(true);
  const sticks = useRef(isSought || !left.has(thread.conversationId));
  const seen = useRef({ top: 0, height: 0 });
  const toEnd = useCallback(() => {
    const { current } = scroll;
    if (!current) return;
    sticks.current = true;
    setAtEnd(true);
    current.scrollTop = current.scrollHeight;
    seen.current = { top: current.scrollTop, height: current.scrollHeight };
  }, []);
  useEffect(() => {
    const { current } = scroll;
    if (!current) return;
    const look = () => {
      const { scrollTop: top, scrollHeight: height, clientHeight } = current;
      const isNear = height - top - clientHeight < NEAR_PX;
      const before = seen.current;
      if (top < before.top - 1 && height >= before.height) sticks.current = false;
      else if (isNear && top >= before.top) sticks.current = true;
      seen.current = { top, height };
      setAtEnd(sticks.current || isNear);
    };
    const grown = new ResizeObserver(() => sticks.current && toEnd());
    grown.observe(current);
    if (content.current) grown.observe(content.current);
    current.addEventListener("scroll", look, { passive: true });
    return () => {
      grown.disconnect();
      current.removeEventListener("scroll", look);
    };
  }, [thread]);
  useReturn(scroll, content, thread, isSought, toEnd);
  const letGo = useCallback(() => void (sticks.current = false), []);
  return { isAtEnd, toEnd, letGo };
}

/** Whoever comes back to a conversation reads on where they were, unless they seek something in it. */
function useReturn(scroll: Box, content: Box, thread: Thread, isSought: boolean, toEnd: () => void): void {
  const wanted = useRef(isSought ? undefined : left.get(thread.conversationId));
  const pages = useRef(0);
  useLayoutEffect(() => {
    const { current } = scroll;
    return () => keep(current, thread);
  }, [thread]);
  useLayoutEffect(() => {
    const reading = wanted.current;
    if (!reading || thread.isLoading || thread.isLoadingOlder) return;
    if (!thread.messages.some(({ id }) => id === reading.messageId)) {
      pages.current += 1;
      if (thread.hasOlder && pages.current < MOST_PAGES) return void thread.loadOlder();
      wanted.current = undefined;
      return toEnd();
    }
    wanted.current = undefined;
    hold(scroll.current, content.current, topOfMessage(reading.messageId), reading.below);
  }, [thread, thread.isLoading, thread.isLoadingOlder]);
}

/**
 * What is above may be drawn a moment later: until then what is read is held in its place, which is
 * so far `below` the upper edge, unless somebody scrolls. Returns what lets it go.
 */
export function hold(
  scroll: HTMLElement | null,
  content: HTMLElement | null,
  topOfHeld: () => number | undefined,
  below: number,
  longestMs = SETTLING_MS,
): () => void {
  if (!scroll || !content) return () => {};
  const place = () => {
    const top = topOfHeld();
    if (top !== undefined) scroll.scrollTop += top - topOf(scroll) - below;
  };
  const drawn = new ResizeObserver(place);
  const stop = () => drawn.disconnect();
  drawn.observe(content);
  for (const kind of ["wheel", "touchstart", "keydown", "pointerdown"]) {
    scroll.addEventListener(kind, stop, { passive: true, once: true });
  }
  setTimeout(stop, longestMs);
  place();
  return stop;
}

/** Hold the first message that is seen for as long as it takes, unless the end is what is read. */
export function holdWhatIsRead(scroll: HTMLElement | null, content: HTMLElement | null, longestMs: number): () => void {
  const reading = scroll && readingAt(scroll);
  if (!reading) return () => {};
  return hold(scroll, content, topOfMessage(reading.messageId), reading.below, longestMs);
}

function keep(scroll: HTMLElement | null, { conversationId }: Thread): void {
  left.delete(conversationId);
  const reading = scroll && readingAt(scroll);
  if (reading) left.set(conversationId, reading);
}

/** The first message that is seen; none at the end. */
function readingAt(scroll: HTMLElement): Reading | undefined {
  if (scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_PX) return undefined;
  const edge = topOf(scroll);
  const first = [...scroll.querySelectorAll(".message[id]")].find((each) => each.getBoundingClientRect().bottom > edge);
  return first && { messageId: first.id, below: topOf(first) - edge };
}

function topOfMessage(messageId: string): () => number | undefined {
  return () => document.getElementById(messageId)?.getBoundingClientRect().top;
}

function topOf(element: Element): number {
  return element.getBoundingClientRect().top;
}
