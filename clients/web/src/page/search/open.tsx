// The way to searching, in the list of conversations.

import type { JSX } from "preact";
import { Icon } from "../parts";

/** What opens it, as this system's people write it. */
const SEARCH_KEYS = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘K" : "Ctrl+K";

/** Opens the search, for what was typed as a title if anything was. */
export function OpenSearch({ query, onOpen }: { query: string; onOpen: () => void }): JSX.Element {
  return (
    <button type="button" class="open-search" onClick={onOpen}>
      <Icon name="search" />
      <span class="grow" dir="auto">
        {query ? `In messages: ${query}` : "Search messages"}
      </span>
      <kbd aria-hidden="true">{SEARCH_KEYS}</kbd>
    </button>
  );
}
