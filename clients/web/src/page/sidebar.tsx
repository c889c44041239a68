// The side bar: workspaces, conversations, and one's account.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Desk, timeOf } from "./desk";
import { Avatar, Icon, IconButton, Mark, Menu, Notice } from "./parts";
import { type Theme, chooseTheme, chosenTheme } from "./theme";
import { period, sentenceOf } from "./words";

/** What the side bar can ask for. */
export interface SidebarActions {
  onNew: () => void;
  onClose: () => void;
  onWorkspace: (workspaceId: string) => void;
  onNewWorkspace: () => void;
  onAccount: () => void;
  onShortcuts: () => void;
  onSignOut: () => void;
}

/** Conversations under the days that they began on, of one workspace or of all. */
export function Sidebar(props: { desk: Desk; workspaceId: string; actions: SidebarActions }): JSX.Element {
  const { desk, workspaceId, actions } = props;
  const [search, setSearch] = useState("");
  const wanted = search.trim().toLowerCase();
  const shown = desk.conversations.filter(
    (each) =>
      (!workspaceId || each.workspaceId === workspaceId) &&
      (!wanted || each.title.toLowerCase().includes(wanted)),
  );
  const groups = new Map<string, typeof shown>();
  for (const each of shown) {
    const heading = period(timeOf(each));
    groups.set(heading, [...(groups.get(heading) ?? []), each]);
  }
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
      {desk.conversations.length > 8 && (
        <label class="search">
          <Icon name="search" />
          <input
            type="search"
            placeholder="Find by title"
            aria-label="Find a conversation by its title"
            value={search}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </label>
      )}
      <div class="list" aria-busy={desk.isLoading}>
        {desk.error && !desk.conversations.length && <Notice text={sentenceOf(desk.error)} />}
        {[...groups].map(([heading, conversations]) => (
          <section key={heading} aria-label={heading}>
            <h2>{heading}</h2>
            <ul>
              {conversations.map((each) => {
                const isOpen = desk.thread?.conversationId === each.conversationId;
                return (
                  <li key={each.conversationId}>
                    <a
                      href={`#/c/${each.conversationId}`}
                      aria-current={isOpen ? "page" : undefined}
                      title={each.title}
                      dir="auto"
                      onClick={actions.onClose}
                    >
                      {each.title || "Untitled"}
                    </a>
                  </li>
                );
              })}
            </ul>
          </section>
        ))}
        {!shown.length && !desk.isLoading && !desk.error && (
          <p class="empty">{wanted ? "No title has that in it." : "Your conversations will stand here."}</p>
        )}
        {desk.hasMore && !wanted && (
          <button type="button" class="link" onClick={() => void desk.more()}>
            Older conversations
          </button>
        )}
      </div>
      <footer>
        <Account desk={desk} actions={actions} />
        <ThemeSwitch />
      </footer>
    </nav>
  );
}

function Workspaces({ desk, workspaceId, actions }: { desk: Desk; workspaceId: string; actions: SidebarActions }) {
  const current = desk.workspaces.find((each) => each.workspaceId === workspaceId);
  if (!desk.workspaces.length) return null;
  return (
    <Menu
      label={`Workspace: ${current?.displayName ?? "all"}`}
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
            <button type="button" onClick={pick(actions.onShortcuts)}>
              <Icon name="keys" /> Keyboard
            </button>
            {user?.operator && (
              <a href="/operator.html">
                <Icon name="chart" /> Operations
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
