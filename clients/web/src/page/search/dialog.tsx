// A window: looking for what was said, in everything that one may read.

import type { JSX } from "preact";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import type { MessageHit } from "../../gen/antiphon/memory/v1/search_service_pb";
import { addressOf } from "../address";
import type { Desk } from "../desk";
import { Dialog, Icon, Notice, Spinner } from "../parts";
import { useChanges } from "../use";
import { sentenceOf } from "../words";
import { ANYTHING, type Asked, isNarrowed } from "./asking";
import { piecesOf } from "./excerpt";
import { Filters } from "./filters";
import { Hit } from "./hit";
import { Searching } from "./searching";
import { countOf, leftOutOf } from "./words";

// As UTF-8 it is never longer than a query may be.
const LONGEST = 1_365;
const STRIDE = 8;

/** Words, filters, and what is found of them; `query` is what is looked for at first. */
export function SearchDialog(props: { desk: Desk; query: string; workspaceId: string; onClose: () => void }): JSX.Element {
  const { desk, onClose } = props;
  const [asked, setAsked] = useState<Asked>({ ...ANYTHING, query: props.query, place: props.workspaceId });
  const [isExplained, explain] = useState(false);
  const searching = useSearching(desk, asked);
  const { hits } = searching;
  const choice = useChoice(hits);
  const id = useId();
  const open = (hit: MessageHit | undefined) => {
    if (!hit?.message) return;
    onClose();
    const words = piecesOf(hit.excerpt, hit.highlights).filter(({ isAsked }) => isAsked);
    desk.found = { messageId: hit.message.messageId, words: words.map(({ text }) => text) };
    go(desk, hit.message);
  };
  const change = (changed: Partial<Asked>) => setAsked({ ...asked, ...changed });
  const press = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const isSearch = (event.ctrlKey || event.metaKey) && event.key === "k";
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: STRIDE, PageUp: -STRIDE }[event.key];
    if (isSearch) (event.currentTarget as HTMLInputElement).select();
    else if (by) choice.move(by);
    else if (event.key === "Enter") open(hits[choice.at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Search" class="search-dialog" onClose={onClose}>
      <label class="search">
        <Icon name="search" />
        <input
          type="text"
          role="combobox"
          aria-label="What was said"
          aria-expanded={hits.length > 0}
          aria-controls={hits.length ? `${id}-hits` : undefined}
          aria-autocomplete="list"
          aria-activedescendant={hits.length ? `${id}-${choice.at}` : undefined}
          placeholder="Words, a name, a question"
          enterkeyhint="search"
          autocomplete="off"
          autofocus
          maxLength={LONGEST}
          dir="auto"
          value={asked.query}
          onInput={(event) => change({ query: event.currentTarget.value })}
          onKeyDown={press}
        />
      </label>
      <Filters desk={desk} asked={asked} onChange={change} />
      <Told searching={searching} onAnywhere={() => setAsked({ ...ANYTHING, query: asked.query })} />
      {hits.length > 0 && (
        <div class={`hits ${searching.isLooking || searching.error ? "old" : ""}`} id={`${id}-hits`} role="listbox" aria-label="What was found" tabIndex={-1}>
          {hits.map((hit, at) => (
            <Hit
              key={hit.message?.messageId}
              id={`${id}-${at}`}
              desk={desk}
              hit={hit}
              isChosen={at === choice.at}
              isExplained={isExplained}
              onOpen={() => open(hit)}
            />
          ))}
        </div>
      )}
      {hits.length > 0 && (
        <div class="hits-foot">
          <label class="check">
            <input type="checkbox" checked={isExplained} onChange={() => explain(!isExplained)} /> why each was found
          </label>
          {searching.hasMore && (
            <button type="button" class="link" onClick={() => searching.more()}>
              More of them
            </button>
          )}
        </div>
      )}
    </Dialog>
  );
}

/** How many there are, what was left out, and what went wrong; said aloud when it changes. */
function Told({ searching, onAnywhere }: { searching: Searching; onAnywhere: () => void }): JSX.Element {
  const { error, found, answered } = searching;
  const leftOut = leftOutOf(searching);
  return (
    <>
      {error && (
        <Notice text={sentenceOf(error)}>
          <button type="button" class="link" onClick={() => searching.again()}>
            Try again
          </button>
        </Notice>
      )}
      <div class="told quiet">
        <p role="status">
          {!error && countOf(searching)} {!error && leftOut && <span>{leftOut}</span>}
        </p>
        {searching.isLooking && <Spinner label="" />}
        {found && !searching.hits.length && isNarrowed(answered) && (
          <button type="button" class="link" onClick={onAnywhere}>
            Look everywhere
          </button>
        )}
      </div>
    </>
  );
}

function useSearching(desk: Desk, asked: Asked): Searching {
  const searching = useMemo(() => new Searching(desk.session.stubs.search), [desk]);
  useChanges(searching);
  useEffect(() => searching.ask(asked), [searching, asked]);
  useEffect(() => () => searching.close(), [searching]);
  useEffect(() => {
    for (const { message, authorName } of searching.hits) {
      if (message?.author.startsWith("users/")) desk.names.learn(message.author.slice("users/".length), authorName);
    }
  }, [searching.found]);
  return searching;
}

/** Which one Enter opens: the first, until another one is chosen; that stays where its place changes. */
function useChoice(hits: MessageHit[]): { at: number; move: (by: number) => void } {
  const [chosen, choose] = useState("");
  const idOf = (hit: MessageHit | undefined) => hit?.message?.messageId ?? "";
  const at = Math.max(0, hits.findIndex((hit) => idOf(hit) === chosen));
  const box = useRef(at);
  useEffect(() => {
    if (box.current !== at) document.querySelector(".hit[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
    box.current = at;
  }, [at]);
  const move = (by: number) => {
    const isStep = Math.abs(by) === 1;
    const to = isStep ? (at + by + hits.length) % hits.length : Math.min(Math.max(at + by, 0), hits.length - 1);
    choose(idOf(hits[to]));
  };
  return { at, move };
}

/** Open the conversation at the message, also where the address is that already. */
function go(desk: Desk, { conversationId, messageId }: { conversationId: string; messageId: string }): void {
  const address = addressOf(conversationId, messageId);
  if (location.hash === address) desk.openThread(conversationId, messageId);
  else location.hash = address;
}
