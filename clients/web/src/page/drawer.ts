// In a narrow window the list is a drawer before the page.

import { useEffect, useRef, useState } from "preact/hooks";

const NARROW = "(max-width: 760px)";

/** Whether the window is narrow now. */
export function useNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(matchMedia(NARROW).matches);
  useEffect(() => {
    const width = matchMedia(NARROW);
    const look = () => setNarrow(width.matches);
    width.addEventListener("change", look);
    return () => width.removeEventListener("change", look);
  }, []);
  return isNarrow;
}

/** While it is open, focus is in it, Escape closes it, and then focus is where it was. */
export function useDrawer(isOpen: boolean, close: () => void): void {
  const before = useRef<HTMLElement | null>(null);
  useEffect(() => {
    if (!isOpen) return;
    before.current = document.querySelector("main .top .icon-button");
    document.querySelector<HTMLElement>(".sidebar button")?.focus();
    const press = (event: KeyboardEvent) => {
      // What is open before it goes first.
      if (event.key !== "Escape" || document.querySelector("dialog[open], .sidebar .menu-list")) return;
      event.stopImmediatePropagation(); // it stops no answer
      close();
    };
    addEventListener("keydown", press, { capture: true });
    return () => {
      removeEventListener("keydown", press, { capture: true });
      // Whoever chose something goes on there.
      const isLost = document.activeElement === document.body || !!document.activeElement?.closest(".sidebar");
      if (isLost) before.current?.focus();
    };
  }, [isOpen]);
}
