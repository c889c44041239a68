// What a person who is signed in has before them: workspaces, conversations, one of them open.

import {
  AntiphonError,
  Changing,
  type Connection,
  type Session,
  Thread,
  type Watching,
  type Wishes,
  errorOf,
  listed,
} from "../antiphon";
import type { Event } from "../gen/antiphon/events/v1/event_pb";
import type { Conversation, Workspace } from "../gen/antiphon/context/v1/conversation_pb";
import type { Handler } from "../gen/antiphon/dispatcher/v1/turn_pb";
import type { Model } from "../gen/antiphon/integration/v1/model_pb";
import { Listing } from "./listing";
import { Memory } from "./memory";
import { Names } from "./names";
import { Notices } from "./notices";
import { Routed } from "./routed";
import { UnsentBook } from "./unsent";
import { WishBook } from "./wishes";
import { titleOf } from "./words";

// One's own log tells of the lists; this is for what it does not: where others said something.
const REFRESH_MS = 300_000;

/** A message that somebody wants to see. */
export interface Sought {
  messageId: string;
  /** The words for which it was found; none where its address was opened. */
  words: string[];
}

/** Lists and the open conversation, kept up. */
export class Desk extends Changing {
  workspaces: Workspace[] = [];
  models: Model[] = [];
  handlers: Handler[] = [];
  isLoading = true;
  error: AntiphonError | undefined;
  thread: Thread | undefined;
  /** The message that was asked for in the open conversation: another object each time that it is. */
  sought: Sought | undefined;
  connection: Connection = { state: "idle" };
  /** Whether the connection broke, and no try has worked since. */
  isAway = false;
  /** What the next address that is opened may be of. */
  found: Sought | undefined;
  private readonly wishes = new WishBook();
  /** Conversations that were left with something that the log does not have yet. */
  private readonly unsent = new Set<Thread>();
  private readonly kept: UnsentBook;
  private reading: Promise<void> = Promise.resolve();
  readonly inUse: Listing;
  readonly archive: Listing;
  readonly notices: Notices;
  readonly names: Names;
  private readonly routed: Routed;
  readonly memory: Memory;
  private shown: Conversation | undefined;
  private own: Watching | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(readonly session: Session) {
    super();
    this.memory = new Memory(session.actor);
    this.kept = new UnsentBook(this.memory);
    this.names = new Names(session);
    this.names.onChange(() => this.changed());
    this.routed = new Routed(session);
    this.routed.onChange(() => this.changed());
    const { context } = session.stubs;
    this.inUse = new Listing(context);
    this.archive = new Listing(context, { onlyArchived: true });
    this.notices = new Notices(session);
  }

  /** Conversations in use, that in which something was said last first. */
  get conversations(): Conversation[] {
    return this.inUse.conversations;
  }

  /** Read the lists, and keep them up. */
  async start(): Promise<void> {
    this.own = this.session.follower.watch(this.session.actor, {
      events: (events) => this.take(events),
      lost: (error) => {
        void this.refresh();
        return error.variables["earliest_cursor"] ?? "";
      },
    });
    this.timer = setInterval(() => void this.refresh(), REFRESH_MS);
    addEventListener("online", this.online);
    document.addEventListener("visibilitychange", this.seen);
    this.notices.start();
    for (const conversationId of this.kept.waiting) this.unsent.add(this.newThread(conversationId));
    const { integration, dispatcher } = this.session.stubs;
    await Promise.allSettled([
      this.refresh(),
      integration.listModels({}).then(({ models }) => (this.models = models)),
      dispatcher.listHandlers({}).then(({ handlers }) => (this.handlers = handlers)),
    ]);
    this.isLoading = false;
    this.changed();
  }

  /** Put everything down. */
  close(): void {
    clearInterval(this.timer);
    removeEventListener("online", this.online);
    document.removeEventListener("visibilitychange", this.seen);
    this.notices.close();
    this.own?.close();
    this.memory.close();
    for (const thread of this.threads) thread.close();
  }

  /** The stream's connection has changed. */
  setConnection(connection: Connection): void {
    const wasAway = this.isAway;
    this.connection = connection;
    if (connection.state !== "connecting") this.isAway = connection.state === "waiting";
    if (wasAway && connection.state === "connected") void this.refresh();
    this.changed();
  }

  /** Read the newest conversations again: others may have made some. */
  refresh(): Promise<void> {
    return (this.reading = this.read());
  }

  private async read(): Promise<void> {
    const { context } = this.session.stubs;
    this.routed.forget();
    try {
      const [workspaces] = await Promise.all([
        listed(
          (pageToken) => context.listWorkspaces({ pageToken }),
          (found) => found.workspaces,
          200,
        ),
        this.inUse.refresh(),
      ]);
      this.workspaces = workspaces;
      this.error = undefined;
    } catch (thrown) {
      this.error = errorOf(thrown);
    }
    this.changed();
  }

  /** Read more of a list, or its beginning. */
  async readMore(listing: Listing): Promise<void> {
    try {
      await (listing.hasMore ? listing.more() : listing.refresh());
      this.error = undefined;
    } catch (thrown) {
      this.error = errorOf(thrown);
    }
    this.changed();
  }

  /** Conversations with a title that has the words in it, archived ones too. Throws AntiphonError. */
  async search(titleContains: string, workspaceId: string): Promise<Listing> {
    const found = new Listing(this.session.stubs.context, { titleContains, workspaceId, showArchived: true });
    await found.refresh();
    return found;
  }

  /** Open a conversation, or none: what is said then begins one; and show a message in it. */
  openThread(conversationId: string, messageId = ""): void {
    const words = this.found?.messageId === messageId ? this.found.words : [];
    this.sought = messageId ? { messageId, words } : undefined;
    this.found = undefined;
    if (this.thread?.conversationId === conversationId) return this.changed();
    const before = this.thread;
    const unsent = [...this.unsent].find((each) => each.conversationId === conversationId);
    if (unsent) this.unsent.delete(unsent);
    this.thread = unsent ?? (conversationId ? this.newThread(conversationId) : undefined);
    if (before) this.closeWhenSent(before);
    this.changed();
  }

  private newThread(conversationId: string): Thread {
    const thread = this.session.thread(conversationId, {
      mayReadUsage: (id) => this.isSoonMine(id),
      onMember: ({ userId, displayName }) => this.names.learn(userId, displayName),
      unsent: this.kept.of(conversationId),
    });
    thread.onChange(() => {
      this.kept.keep(conversationId, thread.outgoing);
      if (thread === this.thread) this.notice(thread);
      else this.sent(thread);
    });
    void thread.start();
    return thread;
  }

  /** What was said there is sent though nobody looks. */
  private closeWhenSent(thread: Thread): void {
    this.unsent.add(thread);
    this.sent(thread);
  }

  private sent(thread: Thread): void {
    if (!thread.outgoing.length && this.unsent.delete(thread)) thread.close();
  }

  /** The open conversation, and those that were left before all was sent. */
  private get threads(): Thread[] {
    return [...(this.thread ? [this.thread] : []), ...this.unsent];
  }

  /** Begin a conversation by saying something; returns its id. Throws AntiphonError. */
  async begin(text: string, workspaceId: string): Promise<string> {
    const title = titleOf(text);
    const { conversation } = await this.session.stubs.context.createConversation({ title, workspaceId });
    if (!conversation) throw new AntiphonError(13, "the server made no conversation");
    this.inUse.put(conversation);
    this.openThread(conversation.conversationId);
    const wishes = this.wishesFor("");
    this.wishes.move("", conversation.conversationId);
    void this.thread?.ask(text, wishes);
    void this.refresh(); // the first conversation makes a workspace
    return conversation.conversationId;
  }

  /** Who shall answer in a conversation, or in one that begins: it is chosen for each. */
  wishesFor(conversationId: string): Wishes {
    return this.wishes.of(conversationId);
  }

  /** Choose who shall answer in a conversation. */
  wish(conversationId: string, wishes: Wishes): void {
    this.wishes.set(conversationId, this.asksModel(wishes) ? wishes : { ...wishes, model: "" });
    this.changed();
  }

  /** Whether whoever shall answer is known to ask a model. */
  asksModel({ handler }: Wishes): boolean {
    return handler === "" || this.handlers.some((each) => each.name === handler && each.default);
  }

  /** Whether routes find who answers in a conversation, or in one that begins; undefined if that is not known. */
  isRouted(conversationId: string, workspaceId: string): boolean | undefined {
    if (conversationId && this.thread?.isRouted) return true;
    const workspace = workspaceId || (this.workspaces[0]?.workspaceId ?? "");
    const newest = this.conversations.find((each) => each.workspaceId === workspace);
    return this.routed.at({ conversationId: conversationId || (newest?.conversationId ?? ""), workspaceId: workspace });
  }

  /** The model that answers where none is chosen. */
  modelOf(conversation: Conversation | undefined): Model | undefined {
    const name = conversation?.models[0];
    return this.models.find((model) => (name ? model.name === name : model.default));
  }

  /** There is a network again: what waits is sent. */
  private readonly online = () => this.threads.forEach((thread) => thread.retryHeld());

  /** What was said elsewhere while nobody looked moved conversations up. */
  private readonly seen = () => {
    if (!document.hidden) void this.refresh();
  };

  /** Make a workspace; returns its id. Throws AntiphonError. */
  async makeWorkspace(displayName: string): Promise<string> {
    const { workspace } = await this.session.stubs.context.createWorkspace({ displayName });
    await this.refresh();
    return workspace?.workspaceId ?? "";
  }

  /** What somebody is called, as far as the members of the open conversation are told. */
  nameOf(actor: string): string {
    const { thread } = this;
    if (!thread) return this.names.of(actor, []);
    const workspace = thread.conversation?.workspaceId ?? "";
    const isMine = this.isMine(workspace);
    const isTold = isMine || thread.isToldMembers;
    return this.names.of(actor, [...(isTold ? [thread.conversationId] : []), ...(isMine ? [workspace] : [])]);
  }

  /** Whether one belongs to a workspace: only then may one ask what is in it. */
  private isMine(workspaceId: string): boolean {
    return this.workspaces.some((each) => each.workspaceId === workspaceId);
  }

  private async isSoonMine(workspaceId: string): Promise<boolean> {
    await this.reading;
    return this.isMine(workspaceId);
  }

  /** One's own log says where one was let in or is no more, and what became of conversations. */
  private take(events: Event[]): void {
    for (const { payload } of events) {
      if (payload.case?.startsWith("member") || payload.case === "workspaceUpdated") void this.refresh();
      const isOfList = payload.case?.startsWith("conversation");
      const told = isOfList && payload.value && "conversation" in payload.value ? payload.value.conversation : undefined;
      if (told) this.place(told as Conversation);
    }
    this.changed();
  }

  /** Put a conversation into the list that it belongs to now. */
  private place(conversation: Conversation): void {
    const [to, from] = conversation.archiveTime ? [this.archive, this.inUse] : [this.inUse, this.archive];
    from.remove(conversation.conversationId);
    to.put(conversation);
  }

  /** Titles change, and what is said moves its conversation up. */
  private notice(thread: Thread): void {
    const { conversation, messages } = thread;
    if (!conversation || thread.isLoading) return;
    if (this.shown !== conversation) {
      this.shown = conversation;
      this.place(conversation);
      this.changed();
    }
    if (this.inUse.touch(conversation.conversationId, messages.at(-1)?.timeMs ?? 0)) this.changed();
  }
}
