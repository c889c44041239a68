// Long lists, of which more is shown when somebody asks for it.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { partly } from "../antiphon";
import { type Loaded, useLoaded } from "./loading";

const PAGE = 200;

/** What was read of a list; `more` reads on, if there is more. */
export interface Paged<Item> extends Loaded<Item[]> {
  more: (() => void) | undefined;
}

/**
 * Read a list's beginning as `useLoaded` does: the `first` of it, and then a page more whenever
 * somebody asks; what is longer is read less often.
 */
export function usePaged<Found extends { nextPageToken: string }, Item>(
  fetch: (page: { pageToken: string; pageSize: number }) => Promise<Found>,
  items: (page: Found) => Item[],
  keys: unknown[],
  everyMs: number,
  first = PAGE,
): Paged<Item> {
  const [most, setMost] = useState(first);
  const pageSize = Math.min(PAGE, most);
  const read = () => partly((pageToken) => fetch({ pageToken, pageSize }), items, most);
  const { value, error, reload } = useLoaded(read, [...keys, most], everyMs * Math.ceil(most / PAGE));
  const more = value?.hasMore ? () => setMost(value.items.length + PAGE) : undefined;
  return { value: value?.items, error, reload, more };
}

/** Asks for more of a list, if there is more. */
export function More({ more }: { more: (() => void) | undefined }): JSX.Element | null {
  if (!more) return null;
  return (
    <button type="button" class="link" onClick={more}>
      More
    </button>
  );
}
