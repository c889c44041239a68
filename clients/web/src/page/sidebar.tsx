// The side bar: workspaces, conversations, and one's account.

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type AntiphonError, errorOf } from "../antiphon";
import type { Conversation } from "../gen/antiphon/context/v1/conversation_pb";
import type { Desk } from "./desk";
import { type Listing, activityOf } from "./listing";
import { Avatar, Icon, IconButton, Mark, Menu, Notice } from "./parts";
import { QueueLink } from "./queue/link";
import { OpenSearch } from "./search/open";
import { type Theme, chooseTheme, chosenTheme } from "./theme";
import { period, sentenceOf } from "./words";

const PAUSE_MS = 200;

/** What the side bar can ask for. */
export interface SidebarActions {
  onNew: () => void;
  onClose: () => void;
  onWorkspace: (workspaceId: string) => void;
  onNewWorkspace: () => void;
  onSearch: (query: string) => void;
  onAccount: () => void;
  onProfile: () => void;
  onShortcuts: () => void;
  onSignOut: () => void;
}

/** Conversations, of one workspace or of all: in use, archived, or looked for. */
export function Sidebar(props: { desk: Desk; workspaceId: string; actions: SidebarActions }): JSX.Element {
  const { desk, workspaceId, actions } = props;
  const [isArchive, setArchive] = useState(false);
  const [search, setSearch] = useState("");
  const wanted = search.trim();
  const found = useSearch(desk, wanted, workspaceId);
  const showArchive = (shown: boolean) => {
    setArchive(shown);
    if (shown) void desk.readMore(desk.archive);
  };
  const listing = isArchive ? desk.archive : desk.inUse;
  const list = useRef<HTMLDivElement>(null);
  const openId = desk.thread?.conversationId;
  const isFirst = !!openId && listing.conversations[0]?.conversationId === openId;
  // What has just been begun, or said, is seen.
  useLayoutEffect(() => {
    if (isFirst) list.current?.scrollTo({ top: 0 });
  }, [openId, isFirst]);
  return (
    <nav class="sidebar" aria-label="Conversations">
      <header>
        <Mark />
        <span class="product">Antiphon</span>
        <IconButton name="close" label="Close the list" class="only-narrow" onClick={actions.onClose} />
      </header>
      <button type="button" class="new" onClick={actions.onNew}>
        <Icon name="plus" /> New conversation
      </button>
      <Workspaces {...props} />
      <label class="search">
        <Icon name="search" />
        <input
          type="search"
          placeholder="Find by title"
          aria-label="Find a conversation by its title"
          maxLength={256}
          dir="auto"
          value={search}
          onInput={(event) => setSearch(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Enter" && wanted && actions.onSearch(wanted)}
        />
      </label>
      <OpenSearch query={wanted} onOpen={() => actions.onSearch(wanted)} />
      <div class="list" ref={list} aria-busy={desk.isLoading || (!!wanted && !found)}>
        {desk.error && !desk.conversations.length && <Notice text={sentenceOf(desk.error)} />}
        {wanted ? (
          <Found {...props} found={found} />
        ) : (
          <Listed {...props} listing={listing} empty={isArchive ? "Nothing is archived." : "Your conversations will stand here."} />
        )}
      </div>
      {!wanted && !desk.isLoading && (
        <button type="button" class="link to-archive" onClick={() => showArchive(!isArchive)}>
          {isArchive ? "Back to those in use" : "Archive"}
        </button>
      )}
      <footer>
        <Account desk={desk} actions={actions} />
        <ThemeSwitch />
      </footer>
    </nav>
  );
}

type ListProps = { desk: Desk; workspaceId: string; actions: SidebarActions };

/** A list under the days on which something was last said. */
function Listed({ desk, workspaceId, actions, listing, empty }: ListProps & { listing: Listing; empty: string }) {
  const shown = listing.conversations.filter((each) => !workspaceId || each.workspaceId === workspaceId);
  const groups = new Map<string, typeof shown>();
  for (const each of shown) {
    const heading = period(activityOf(each));
    groups.set(heading, [...(groups.get(heading) ?? []), each]);
  }
  return (
    <>
      {[...groups].map(([heading, conversations]) => (
        <section key={heading} aria-label={heading}>
          <h2>{heading}</h2>
          <Links desk={desk} actions={actions} conversations={conversations} />
        </section>
      ))}
      {!shown.length && !desk.isLoading && !desk.error && <p class="empty">{empty}</p>}
      {listing.hasMore && (
        <button type="button" class="link" onClick={() => void desk.readMore(listing)}>
          Older conversations
        </button>
      )}
    </>
  );
}

/** What was looked for, in all titles that there are. */
function Found({ desk, actions, found }: ListProps & { found: Search | undefined }) {
  if (!found) return <p class="empty">Looking…</p>;
  if (found.error) return <Notice text={sentenceOf(found.error)} />;
  const { listing } = found;
  return (
    <section aria-label="Found">
      <h2>Found</h2>
      {listing && <Links desk={desk} actions={actions} conversations={listing.conversations} />}
      {!listing?.conversations.length && <p class="empty">No title has that in it.</p>}
      {listing?.hasMore && (
        <button type="button" class="link" onClick={() => void desk.readMore(listing)}>
          More of them
        </button>
      )}
    </section>
  );
}

function Links(props: { desk: Desk; actions: SidebarActions; conversations: Conversation[] }): JSX.Element {
  return (
    <ul>
      {props.conversations.map((each) => (
        <li key={each.conversationId}>
          <a
            href={`#/c/${each.conversationId}`}
            aria-current={props.desk.thread?.conversationId === each.conversationId ? "page" : undefined}
            title={each.title}
            dir="auto"
            onClick={props.actions.onClose}
          >
            {each.title || "Untitled"}
            {each.archiveTime && <span class="tag">archived</span>}
          </a>
        </li>
      ))}
    </ul>
  );
}

interface Search {
  listing?: Listing;
  error?: AntiphonError;
}

/** Asks the server a moment after the last letter; undefined until it has answered. */
function useSearch(desk: Desk, wanted: string, workspaceId: string): Search | undefined {
  const [found, setFound] = useState<Search>();
  useEffect(() => {
    setFound(undefined);
    if (!wanted) return;
    let isWanted = true;
    const tell = (search: Search) => isWanted && setFound(search);
    const timer = setTimeout(() => {
      desk.search(wanted, workspaceId).then(
        (listing) => tell({ listing }),
        (thrown) => tell({ error: errorOf(thrown) }),
      );
    }, PAUSE_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [desk, wanted, workspaceId]);
  return found;
}

function Workspaces({ desk, workspaceId, actions }: { desk: Desk; workspaceId: string; actions: SidebarActions }) {
  const current = desk.workspaces.find((each) => each.workspaceId === workspaceId);
  if (!desk.workspaces.length) return null;
  return (
    <Menu
      label={`Workspace: ${current?.displayName ?? "All workspaces"}`}
      class="workspaces"
      button={
        <>
          <Icon name="folder" />
          <span class="grow">{current?.displayName ?? "All workspaces"}</span>
          <Icon name="chevron" />
        </>
      }
    >
      {(close) => {
        const choose = (id: string) => () => {
          actions.onWorkspace(id);
          close();
        };
        return (
          <>
            <button type="button" onClick={choose("")} aria-pressed={!workspaceId}>
              All workspaces
            </button>
            {desk.workspaces.map((each) => (
              <button
                type="button"
                key={each.workspaceId}
                onClick={choose(each.workspaceId)}
                aria-pressed={workspaceId === each.workspaceId}
              >
                {each.displayName}
              </button>
            ))}
            <hr />
            <button
              type="button"
              onClick={() => {
                close();
                actions.onNewWorkspace();
              }}
            >
              <Icon name="plus" /> New workspace
            </button>
          </>
        );
      }}
    </Menu>
  );
}

function Account({ desk, actions }: { desk: Desk; actions: SidebarActions }): JSX.Element {
  const { user } = desk.session;
  const name = user?.displayName || user?.name || "";
  return (
    <Menu
      label={`Account of ${name}`}
      class="account"
      button={
        <>
          <Avatar actor={desk.session.actor} name={name} />
          <span class="grow">{name}</span>
        </>
      }
    >
      {(close) => {
        const pick = (act: () => void) => () => {
          close();
          act();
        };
        return (
          <>
            <button type="button" onClick={pick(actions.onAccount)}>
              <Icon name="person" /> Account
            </button>
            <button type="button" onClick={pick(actions.onProfile)}>
              <Icon name="pencil" /> About you
            </button>
            <button type="button" onClick={pick(actions.onShortcuts)}>
              <Icon name="keys" /> Keyboard
            </button>
            <QueueLink desk={desk} href="#/queue" onClick={pick(actions.onClose)}>
              <Icon name="people" /> Queue
            </QueueLink>
            <a href="#/memory" onClick={pick(actions.onClose)}>
              <Icon name="memory" /> What is remembered
            </a>
            <a href="#/usage" onClick={pick(actions.onClose)}>
              <Icon name="chart" /> Usage and budgets
            </a>
            <a href="#/filters" onClick={pick(actions.onClose)}>
              <Icon name="shield" /> Filters
            </a>
            <a href="#/flags" onClick={pick(actions.onClose)}>
              <Icon name="flag" /> Flags
            </a>
            <a href="#/webhooks" onClick={pick(actions.onClose)}>
              <Icon name="bell" /> Webhooks
            </a>
            {user?.operator && (
              <a href="/operator.html">
                <Icon name="gear" /> Operations
              </a>
            )}
            <hr />
            <button type="button" onClick={pick(actions.onSignOut)}>
              <Icon name="leave" /> Sign out
            </button>
          </>
        );
      }}
    </Menu>
  );
}

const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const ICONS = { system: "screen", light: "sun", dark: "moon" } as const;

/** Light, dark, or as the system has it. */
export function ThemeSwitch(): JSX.Element {
  const [theme, setTheme] = useState(chosenTheme());
  const next = () => {
    chooseTheme(NEXT[theme]);
    setTheme(NEXT[theme]);
  };
  return <IconButton name={ICONS[theme]} label={`Colours: ${theme}`} onClick={next} />;
}
