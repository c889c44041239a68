// The page of somebody who is signed in.

import type { JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { NOBODY } from "../antiphon";
import { openAt } from "./address";
import { Composer } from "./composer";
import { ConversationView } from "./conversation/conversation";
import type { Desk } from "./desk";
import { ConnectionBar, NoticeBar } from "./connection";
import { AccountDialog, ConfirmDialog, NameDialog, ShortcutsDialog } from "./dialogs";
import { useDrawer, useNarrow } from "./drawer";
import { Avatar, Icon, IconButton, Mark, Menu } from "./parts";
import { FiltersView } from "./filters/view";
import { FlagsView } from "./flags/view";
import { MemoriesView } from "./memories/view";
import { PeopleDialog } from "./people";
import { QueueView } from "./queue/queue";
import { ProfileDialog } from "./profile/dialog";
import { SearchDialog } from "./search/dialog";
import { Sidebar } from "./sidebar";
import { UsageView } from "./usage/usage";
import { useChanges } from "./use";
import { WebhooksView } from "./webhooks/view";
import { BESIDE, WhiteboardPanel } from "./whiteboard/panel";

type Window = "account" | "archive" | "erase" | "people" | "profile" | "search" | "shortcuts" | "workspace" | "rename" | "";

const HIDDEN = "antiphon.list";
const WORKSPACE = "antiphon.workspace";
/** What is shown in a conversation's place, by its address. */
const VIEWS: Record<string, { name: string; View: (props: { desk: Desk; workspaceId: string }) => JSX.Element }> = {
  "#/usage": { name: "Usage and budgets", View: UsageView },
  "#/memory": { name: "What is remembered about me", View: MemoriesView },
  "#/queue": { name: "Queue", View: QueueView },
  "#/filters": { name: "Filters", View: FiltersView },
  "#/flags": { name: "Flags", View: FlagsView },
  "#/webhooks": { name: "Webhooks", View: WebhooksView },
};

/** The list beside, the conversation before one. */
export function App({ desk, onSignOut }: { desk: Desk; onSignOut: () => void }): JSX.Element {
  useChanges(desk);
  useChanges(desk.thread);
  const [dialog, setDialog] = useState<Window>("");
  const [query, setQuery] = useState("");
  const [isNarrowOpen, setNarrowOpen] = useState(false);
  const [isHidden, setHidden] = useState(localStorage.getItem(HIDDEN) === "hidden");
  const [workspaceId, setWorkspaceId] = useState(localStorage.getItem(WORKSPACE) ?? "");
  const [isBoardOpen, setBoardOpen] = useState(localStorage.getItem(BESIDE) === "open");
  const showBoard = (open: boolean) => {
    localStorage.setItem(BESIDE, open ? "open" : "");
    setBoardOpen(open);
  };
  const isNarrow = useNarrow();
  const isDrawn = isNarrow && isNarrowOpen;
  const toggle = useCallback(() => {
    if (isNarrow) setNarrowOpen((was) => !was);
    else
      setHidden((was) => {
        localStorage.setItem(HIDDEN, was ? "" : "hidden");
        return !was;
      });
  }, [isNarrow]);
  useDrawer(isDrawn, () => setNarrowOpen(false));
  const view = useRoute(desk, () => setNarrowOpen(false));
  useKeys(desk, toggle, (wanted) => (setQuery(""), setDialog(wanted)));
  useTitle(desk, view);
  const known = desk.workspaces.some((each) => each.workspaceId === workspaceId) ? workspaceId : "";
  const chooseWorkspace = (id: string) => {
    localStorage.setItem(WORKSPACE, id);
    setWorkspaceId(id);
  };
  const { thread } = desk;
  const shown = VIEWS[view];
  return (
    <div class={`app ${isHidden ? "list-hidden" : ""} ${isDrawn ? "list-open" : ""}`}>
      <a class="skip" href="#main" onClick={skip} inert={isDrawn}>
        Go to the conversation
      </a>
      <Sidebar
        desk={desk}
        workspaceId={known}
        actions={{
          onNew: () => (setNarrowOpen(false), goToNew()),
          onClose: () => setNarrowOpen(false),
          onWorkspace: chooseWorkspace,
          onNewWorkspace: () => setDialog("workspace"),
          onSearch: (wanted) => (setNarrowOpen(false), setQuery(wanted), setDialog("search")),
          onAccount: () => setDialog("account"),
          onProfile: () => setDialog("profile"),
          onShortcuts: () => setDialog("shortcuts"),
          onSignOut,
        }}
      />
      <div class="veil" onClick={() => setNarrowOpen(false)} />
      <main id="main" tabIndex={-1} inert={isDrawn}>
        <header class="top">
          <IconButton name="menu" label="The list of conversations" onClick={toggle} expanded={isNarrow ? isDrawn : !isHidden} />
          <h1 dir="auto">{shown ? shown.name : thread ? (thread.conversation?.title ?? "") || (thread.isLoading ? "" : "Untitled") : "New conversation"}</h1>
          <Here desk={desk} />
          {thread?.conversation && !shown && (
            <IconButton name="board" label="The whiteboard" onClick={() => showBoard(!isBoardOpen)} expanded={isBoardOpen} />
          )}
          {thread?.conversation && !thread.isArchived && (
            <Menu label="What to do with this conversation">
              {(close) => (
                <>
                  <button type="button" onClick={() => (close(), setDialog("people"))}>
                    <Icon name="person" /> People
                  </button>
                  <button type="button" onClick={() => (close(), setDialog("rename"))}>
                    <Icon name="pencil" /> Rename
                  </button>
                  <button type="button" onClick={() => (close(), setDialog("archive"))}>
                    <Icon name="archive" /> Archive
                  </button>
                  <button type="button" onClick={() => (close(), setDialog("erase"))}>
                    <Icon name="shield" /> Erase
                  </button>
                </>
              )}
            </Menu>
          )}
          <IconButton name="plus" label="New conversation" class="only-narrow" onClick={goToNew} />
        </header>
        <ConnectionBar desk={desk} />
        <NoticeBar desk={desk} />
        {shown ? (
          <shown.View desk={desk} workspaceId={known} />
        ) : thread ? (
          <div class="beside">
            <div class="talk">
              <ConversationView key={thread.conversationId} desk={desk} thread={thread} />
            </div>
            {isBoardOpen && <WhiteboardPanel key={thread.conversationId} desk={desk} thread={thread} onClose={() => showBoard(false)} />}
          </div>
        ) : (
          <Welcome desk={desk} workspaceId={known} />
        )}
      </main>
      {dialog === "search" && <SearchDialog desk={desk} query={query} workspaceId={known} onClose={() => setDialog("")} />}
      {dialog === "account" && <AccountDialog session={desk.session} onClose={() => setDialog("")} />}
      {dialog === "profile" && <ProfileDialog desk={desk} onClose={() => setDialog("")} />}
      {dialog === "shortcuts" && <ShortcutsDialog onClose={() => setDialog("")} />}
      {dialog === "workspace" && (
        <NameDialog
          title="New workspace"
          value=""
          button="Make it"
          maxLength={128}
          onName={async (name) => chooseWorkspace(await desk.makeWorkspace(name))}
          onClose={() => setDialog("")}
        />
      )}
      {dialog === "people" && thread && (
        <PeopleDialog desk={desk} resource={thread.conversationId} onClose={() => setDialog("")} />
      )}
      {dialog === "archive" && thread && (
        <ConfirmDialog
          title="Archive this conversation?"
          text="It takes no more messages, and leaves the list. It is kept: the archive below the list has it, and can give it back."
          button="Archive"
          onConfirm={async () => {
            await thread.archive();
            goToNew();
          }}
          onClose={() => setDialog("")}
        />
      )}
      {dialog === "erase" && thread && (
        <ConfirmDialog
          title="Erase all that was said here?"
          text="It is gone for everybody, and for good: what was said and answered, the title, the whiteboard, and what is remembered of it. The archive keeps a conversation without a name, which shows who wrote and when."
          button="Erase it"
          onConfirm={() => thread.erase()}
          onClose={() => setDialog("")}
        />
      )}
      {dialog === "rename" && thread && (
        <NameDialog
          title="Rename"
          value={thread.conversation?.title ?? ""}
          button="Rename"
          maxLength={256}
          onName={(name) => thread.rename(name)}
          onClose={() => setDialog("")}
        />
      )}
    </div>
  );
}

function goToNew(): void {
  location.hash = "#/";
  document.querySelector<HTMLElement>(".composer textarea")?.focus();
}

function skip(event: Event): void {
  event.preventDefault(); // the hash says which conversation is open
  document.getElementById("main")?.focus();
}

/** The address says what is open, so that it can be gone back to and shared; returns which of the views. */
function useRoute(desk: Desk, onMove: () => void): string {
  const viewOf = () => (location.hash in VIEWS ? location.hash : "");
  const [view, setView] = useState(viewOf);
  useEffect(() => {
    const go = () => {
      const { conversationId, messageId } = openAt(location.hash);
      desk.openThread(conversationId, messageId);
      setView(viewOf());
      onMove();
    };
    go();
    addEventListener("hashchange", go);
    return () => removeEventListener("hashchange", go);
  }, [desk]);
  return view;
}

function useTitle(desk: Desk, view: string): void {
  const title = view ? VIEWS[view]?.name : desk.thread?.conversation?.title;
  useEffect(() => {
    document.title = title ? `${title} · Antiphon` : "Antiphon";
  }, [title]);
}

function useKeys(desk: Desk, toggle: () => void, setDialog: (dialog: Window) => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (document.querySelector("dialog[open]")) return;
      const isWriting = (event.target as HTMLElement).matches("input, textarea, select");
      const isCommand = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
      const act = (work: () => void) => {
        event.preventDefault();
        work();
      };
      if (isCommand && event.key === "k") act(() => setDialog("search"));
      else if (event.altKey && event.code === "KeyN") act(goToNew);
      else if (isCommand && event.key === "b") act(toggle);
      else if (event.altKey && event.key === "ArrowUp") act(() => step(desk, -1));
      else if (event.altKey && event.key === "ArrowDown") act(() => step(desk, 1));
      else if (event.altKey && event.code === "KeyA") act(() => document.querySelector<HTMLElement>(".decide :is(input, select, button)")?.focus());
      else if (isWriting) return;
      else if (event.key === "?") act(() => setDialog("shortcuts"));
      else if (event.key === "/") act(() => document.querySelector<HTMLElement>(".composer textarea")?.focus());
      else if (event.key === "Escape") void desk.thread?.stopAll().catch(() => {});
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [desk]);
}

function step(desk: Desk, by: number): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>(".sidebar .list a")];
  const at = links.findIndex((link) => link.getAttribute("aria-current"));
  const next = at < 0 ? links[0] : links[at + by];
  if (next && desk) location.hash = new URL(next.href).hash;
}

/** Who else is here. */
function Here({ desk }: { desk: Desk }): JSX.Element {
  useChanges(desk.thread?.company);
  const here = desk.thread?.company.here ?? [];
  const names = here.map((actor) => desk.nameOf(actor));
  return (
    <span class="here" role="img" aria-label={names.length ? `Here: ${names.join(", ")}` : "Nobody else is here"}>
      {here.slice(0, 4).map((actor) => (
        <Avatar key={actor} actor={actor} name={desk.nameOf(actor)} />
      ))}
      {here.length > 4 && <span class="avatar">+{here.length - 4}</span>}
    </span>
  );
}

/** Who answers what is said now, in a sentence. */
function whoAnswers(desk: Desk, workspaceId: string): string {
  const wishes = desk.wishesFor("");
  const isRouted = !wishes.handler && desk.isRouted("", workspaceId);
  if (wishes.handler === NOBODY) return "Nobody will answer: it is for the people whom you let in.";
  if (isRouted) return "Rules find who will answer, by what you say.";
  if (!desk.asksModel(wishes)) return `${wishes.handler} will answer.`;
  const model = desk.models.find(({ name }) => name === wishes.model) ?? desk.modelOf(undefined);
  if (model?.missing) return `${model.name} can't answer yet: ${model.missing}`;
  if (!model) return "";
  return `${model.name} will answer${isRouted === undefined ? ", unless rules find another" : ""}.`;
}

function Welcome({ desk, workspaceId }: { desk: Desk; workspaceId: string }): JSX.Element {
  const { user } = desk.session;
  return (
    <div class="welcome">
      <div class="welcome-words">
        <Mark />
        <h2>What is on your mind, {user?.displayName || user?.name}?</h2>
        <p class="quiet">{whoAnswers(desk, workspaceId)}</p>
      </div>
      <div class="dock">
        <Composer
          desk={desk}
          workspaceId={workspaceId}
          onBegun={(id) => {
            location.hash = `#/c/${id}`;
          }}
        />
      </div>
    </div>
  );
}
