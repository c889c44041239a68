// What a person who is signed in has before them: workspaces, conversations, one of them open.

import { timestampMs } from "@bufbuild/protobuf/wkt";
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
import { Names } from "./names";
import { WishBook } from "./wishes";
import { titleOf } from "./words";

const PAGE = 50;
const REFRESH_MS = 60_000;

/** Lists and the open conversation, kept up. */
export class Desk extends Changing {
  workspaces: Workspace[] = [];
  conversations: Conversation[] = [];
  models: Model[] = [];
  handlers: Handler[] = [];
  isLoading = true;
  hasMore = false;
  error: AntiphonError | undefined;
  thread: Thread | undefined;
  connection: Connection = { state: "idle" };
  private readonly wishes = new WishBook();
  private reading: Promise<void> = Promise.resolve();
  private nextPage = "";
  readonly names: Names;
  private own: Watching | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(readonly session: Session) {
    super();
    this.names = new Names(session);
    this.names.onChange(() => this.changed());
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
    this.own?.close();
    this.thread?.close();
  }

  /** The stream's connection has changed. */
  setConnection(connection: Connection): void {
    const wasAway = this.connection.state === "waiting";
    this.connection = connection;
    if (wasAway && connection.state === "connected") void this.refresh();
    this.changed();
  }

  /** Read the newest conversations again: others may have made some. */
  refresh(): Promise<void> {
    return (this.reading = this.read());
  }

  private async read(): Promise<void> {
    const { context } = this.session.stubs;
    try {
      const [page, workspaces] = await Promise.all([
        context.listConversations({ pageSize: PAGE }),
        listed(
          (pageToken) => context.listWorkspaces({ pageToken }),
          (found) => found.workspaces,
          200,
        ),
      ]);
      const known = new Set(page.conversations.map((each) => each.conversationId));
      const older = this.conversations.filter((each) => !known.has(each.conversationId));
      const isFirst = this.conversations.length === 0;
      // What was loaded beyond the first page stays; what left the first page was archived.
      const oldest = page.conversations.at(-1)?.createTime;
      const kept = older.filter((each) => oldest && timeOf(each) < timestampMs(oldest));
      this.conversations = [...page.conversations, ...kept];
      this.workspaces = workspaces;
      if (isFirst || !kept.length) {
        this.nextPage = page.nextPageToken;
        this.hasMore = page.nextPageToken !== "";
      }
      this.error = undefined;
    } catch (thrown) {
      this.error = errorOf(thrown);
    }
    this.changed();
  }

  /** Read older conversations. */
  async more(): Promise<void> {
    const { context } = this.session.stubs;
    try {
      const page = await context.listConversations({ pageSize: PAGE, pageToken: this.nextPage });
      const known = new Set(this.conversations.map((each) => each.conversationId));
      const fresh = page.conversations.filter((each) => !known.has(each.conversationId));
      this.conversations = [...this.conversations, ...fresh];
      this.nextPage = page.nextPageToken;
      this.hasMore = page.nextPageToken !== "";
    } catch (thrown) {
      this.error = errorOf(thrown);
    }
    this.changed();
  }

  /** Open a conversation, or none: what is said then begins one. */
  openThread(conversationId: string): void {
    if (this.thread?.conversationId === conversationId) return;
    this.thread?.close();
    this.thread = conversationId ? this.session.thread(conversationId, (id) => this.isSoonMine(id)) : undefined;
    if (this.thread) {
      const thread = this.thread;
      thread.onChange(() => this.notice(thread));
      void thread.start();
    }
    this.changed();
  }

  /** Begin a conversation by saying something; returns its id. Throws AntiphonError. */
  async begin(text: string, workspaceId: string): Promise<string> {
    const title = titleOf(text);
    const { conversation } = await this.session.stubs.context.createConversation({ title, workspaceId });
    if (!conversation) throw new AntiphonError(13, "the server made no conversation");
    this.conversations = [conversation, ...this.conversations];
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

  /** The model that answers where none is chosen. */
  modelOf(conversation: Conversation | undefined): Model | undefined {
    const name = conversation?.models[0];
    return this.models.find((model) => (name ? model.name === name : model.default));
  }

  /** There is a network again: what waits is sent. */
  private readonly online = () => this.thread?.retryHeld();

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

  /** One's own log says where one was let in, or is no more. */
  private take(events: Event[]): void {
    if (events.some(({ payload }) => payload.case?.startsWith("member"))) void this.refresh();
  }

  /** Titles change; the list shows the newest. */
  private notice(thread: Thread): void {
    const { conversation } = thread;
    if (!conversation) return;
    const index = this.conversations.findIndex(
      (each) => each.conversationId === conversation.conversationId,
    );
    if (index >= 0 && this.conversations[index] !== conversation) {
      this.conversations = this.conversations
        .with(index, conversation)
        .filter((each) => each.archiveTime === undefined);
      this.changed();
    }
  }
}

/** When a conversation was made, in milliseconds. */
export function timeOf(conversation: Conversation): number {
  return conversation.createTime ? timestampMs(conversation.createTime) : 0;
}

