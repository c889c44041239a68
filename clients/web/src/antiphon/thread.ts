// A conversation that is open: what was said, what is being said, and saying something.

import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Conversation, TurnPolicy } from "../gen/antiphon/context/v1/conversation_pb";
import { type Message, MessageRole, PartSchema } from "../gen/antiphon/context/v1/message_pb";
import { Role } from "../gen/antiphon/auth/v1/access_pb";
import { type Event, EventKind, TurnState } from "../gen/antiphon/events/v1/event_pb";
import { AttemptOutcome, type ModelCall } from "../gen/antiphon/integration/v1/model_pb";
import { Changing } from "./changing";
import type { Stubs } from "./channel";
import { Company } from "./company";
import { AntiphonError, errorOf } from "./errors";
import type { Follower, Watching } from "./follower";
import { newRequestId, newTurnId } from "./ids";
import { textOf } from "./text";
import { TurnView } from "./turn";

const UNDER_WAY = new Set([TurnState.QUEUED, TurnState.RUNNING]);
const PAGE = 50;
const EVENTS_PAGE = 1000;
const MOST_EVENT_PAGES = 20;
const MOST_ASKED = 10;
const MOST_CALLS = 200;
const SETTLED_MS = 700;
const SETTLING_TRIES = 4;
const TYPING_EVERY_MS = 5_000;
const PRESENT_EVERY_MS = 40_000;
const GREETING_MS = 2_000;

/** What was said, as it is shown. */
export interface Entry {
  id: string;
  role: "user" | "assistant" | "system";
  author: string;
  text: string;
  others: Message["parts"];
  turnId: string;
  timeMs: number;
  offset: bigint;
  isTruncated: boolean;
}

/** What this page has said and the log does not have yet. */
export interface Outgoing {
  turnId: string;
  requestId: string;
  text: string;
  wishes: Wishes;
  state: "sending" | "failed";
  error: AntiphonError | undefined;
}

/** Who answers what is said to people alone. */
export const NOBODY = "(nobody)";

/** How to ask: empty means the server's choice; NOBODY is a handler that nobody is. */
export interface Wishes {
  handler: string;
  model: string;
}

/**
 * One conversation. It is read once, and then kept up by its log: what a broken connection or a
 * restart of the server left out comes when there is a connection again.
 */
export class Thread extends Changing {
  readonly company: Company;
  conversation: Conversation | undefined;
  isLoading = true;
  isLoadingOlder = false;
  hasOlder = false;
  error: AntiphonError | undefined;
  outgoing: Outgoing[] = [];
  private readonly entries = new Map<string, Entry>();
  private readonly turns = new Map<string, TurnView>();
  private sending = Promise.resolve();
  private sorted: Entry[] | undefined;
  private olderToken = "";
  private turnsToken = "";
  private oldestTurnMs = Infinity;
  private watching: Watching | undefined;
  private isClosed = false;
  private typedAt = 0;
  private ownRole: Role | undefined;
  private greeting: ReturnType<typeof setTimeout> | undefined;
  private presence: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly conversationId: string,
    private readonly stubs: Stubs,
    private readonly follower: Follower,
    readonly self: string,
    private readonly mayReadUsage: (workspaceId: string) => Promise<boolean> = async () => true,
  ) {
    super();
    this.company = new Company(self);
  }

  /** What was said, the oldest first. */
  get messages(): Entry[] {
    this.sorted ??= [...this.entries.values()].sort((a, b) => Number(a.offset - b.offset));
    return this.sorted;
  }

  /** The turns that run or wait, in the order they came. */
  get open(): TurnView[] {
    return [...this.turns.values()].filter((turn) => UNDER_WAY.has(turn.state));
  }

  /** A turn, if it is known. */
  turn(turnId: string): TurnView | undefined {
    return this.turns.get(turnId);
  }

  /** Whether the turn's answer has been posted, or is about to be. */
  hasReply(turn: TurnView): boolean {
    return this.entries.has(turn.replyMessageId);
  }

  /** Whether one is told who takes part, as far as the log still says: guests are not. */
  get isToldMembers(): boolean {
    return this.ownRole !== undefined && this.ownRole !== Role.GUEST;
  }

  /** Whether it takes no message any more. */
  get isArchived(): boolean {
    return this.conversation?.archiveTime !== undefined;
  }

  /** Read it and follow it. */
  async start(): Promise<void> {
    try {
      await this.load();
    } catch (thrown) {
      this.error = errorOf(thrown);
    }
    this.isLoading = false;
    this.changed();
  }

  /** Stop following; say that one has left. */
  close(): void {
    this.isClosed = true;
    this.watching?.close();
    this.company.close();
    clearInterval(this.presence);
    clearTimeout(this.greeting);
    if (!this.error && !this.isLoading) this.tellPresence(false);
  }

  /**
   * Where to begin to follow is found before the messages are read, so that what is said
   * meanwhile comes twice rather than never; all that comes twice has an id or a place.
   * Deltas that the log still has belong to turns that run: that is how an answer is shown from
   * its first word after a reload in the middle of it.
   */
  private async load(): Promise<void> {
    const { conversationId } = this;
    const [found, cursor] = await Promise.all([
      this.stubs.context.getConversation({ conversationId }),
      this.readWhatIsUnderWay(),
    ]);
    this.conversation = found.conversation;
    await this.loadPage("");
    if (this.isClosed) return;
    this.watching = this.follower.watch(
      `conversations/${conversationId}`,
      {
        events: (events) => this.take(events),
        created: () => this.connected(),
        lost: (error) => this.reload(error),
        ended: (error) => this.fail(error),
      },
      { cursor, earliest: true, ephemeral: true },
    );
    this.presence = setInterval(() => this.tellPresence(true), PRESENT_EVERY_MS);
  }

  /** History was lost: read the state, and go on from what there is. */
  private async reload(error: AntiphonError): Promise<string> {
    this.entries.clear();
    this.turns.clear();
    await this.loadPage("");
    return error.variables["earliest_cursor"] ?? "";
  }

  private async readWhatIsUnderWay(): Promise<string> {
    const kinds = [
      EventKind.TEXT_DELTA_APPENDED,
      EventKind.TOOL_CALL_STARTED,
      EventKind.TOOL_CALL_FINISHED,
      EventKind.TURN_PROGRESSED,
      EventKind.MEMBER_ADDED,
      EventKind.MEMBER_UPDATED,
    ];
    const scope = `conversations/${this.conversationId}`;
    let cursor = "";
    for (let page = 0; page < MOST_EVENT_PAGES; page += 1) {
      const read = await this.stubs.events.readEvents({
        scope,
        cursor,
        kinds,
        pageSize: EVENTS_PAGE,
      });
      for (const event of read.events) {
        if (event.turnId) this.turnOf(event.turnId).apply(event);
        this.takePayload(event);
      }
      cursor = read.cursor;
      if (read.atHead) return cursor;
    }
    return (await this.stubs.events.getHead({ scope })).cursor;
  }

  /** Read what was said before. */
  async loadOlder(): Promise<void> {
    if (this.isLoadingOlder || !this.hasOlder) return;
    this.isLoadingOlder = true;
    this.changed();
    try {
      await this.loadPage(this.olderToken);
    } catch (thrown) {
      this.error = errorOf(thrown);
    }
    this.isLoadingOlder = false;
    this.changed();
  }

  private async loadPage(pageToken: string): Promise<void> {
    const { conversationId } = this;
    const page = await this.stubs.context.listMessages({
      conversationId,
      pageSize: PAGE,
      pageToken,
    });
    for (const message of page.messages) this.post(message, message.offset, message.turnId);
    this.olderToken = page.nextPageToken;
    this.hasOlder = page.nextPageToken !== "";
    await this.loadTurns(this.messages[0]?.timeMs ?? Infinity, pageToken === "");
    this.changed();
  }

  /** The turns that began since a time; messages and turns are paged apart. */
  private async loadTurns(sinceMs: number, isFirst: boolean): Promise<void> {
    while (isFirst || (this.turnsToken && this.oldestTurnMs >= sinceMs)) {
      const page = await this.stubs.dispatcher.listTurns({
        conversationId: this.conversationId,
        pageSize: PAGE,
        pageToken: isFirst ? "" : this.turnsToken,
      });
      // They come newest first, and a turn that is new to the map goes to its end.
      for (const turn of page.turns.toReversed()) this.turnOf(turn.turnId).assign(turn);
      const unknown = page.turns.map((turn) => this.turnOf(turn.turnId)).filter(lacksUsage);
      for (const turn of unknown.slice(0, MOST_ASKED)) void this.learnUsage(turn);
      const oldest = page.turns.at(-1)?.createTime;
      this.oldestTurnMs = oldest ? timestampMs(oldest) : -Infinity;
      this.turnsToken = page.nextPageToken;
      isFirst = false;
    }
  }

  /**
   * Say something and have it answered, unless it is to people alone. Nothing is thrown: what
   * fails is shown where it is.
   */
  async ask(text: string, wishes: Wishes, turnId = newTurnId(), requestId = newRequestId()): Promise<void> {
    const outgoing: Outgoing = {
      ...{ turnId, requestId, text, wishes: { ...wishes } },
      ...{ state: "sending", error: undefined },
    };
    const place = this.outgoing.findIndex((each) => each.turnId === turnId);
    this.outgoing = place < 0 ? [...this.outgoing, outgoing] : this.outgoing.with(place, outgoing);
    this.typedAt = 0;
    this.changed();
    this.sending = this.sending.then(() => this.sendUpTo(outgoing));
    await this.sending;
  }

  /** One goes after the other, and what no server took goes first: what is said keeps its order. */
  private async sendUpTo(newest: Outgoing): Promise<void> {
    const place = this.outgoing.indexOf(newest);
    if (place < 0) return; // discarded, or said once more
    const held = this.outgoing.slice(0, place).filter(isHeld);
    for (const each of [...held, newest]) {
      await this.send(each);
      if (!isHeld(each)) continue;
      newest.state = "failed";
      newest.error = each.error;
      break;
    }
    this.changed();
  }

  private async send(outgoing: Outgoing): Promise<void> {
    outgoing.state = "sending";
    this.changed();
    try {
      await (isToPeople(outgoing) ? this.postAlone(outgoing) : this.dispatch(outgoing));
    } catch (thrown) {
      outgoing.state = "failed";
      outgoing.error = errorOf(thrown);
    }
  }

  private async dispatch({ turnId, text, wishes }: Outgoing): Promise<void> {
    const { turn } = await this.stubs.dispatcher.dispatch({
      conversationId: this.conversationId,
      turnId,
      handler: wishes.handler,
      models: wishes.model ? [wishes.model] : [],
      parts: [create(PartSchema, { content: { case: "text", value: text } })],
      policy: TurnPolicy.UNSPECIFIED,
    });
    if (turn) this.turnOf(turnId).assign(turn);
    // Cancelled before it came: no message will tell of it.
    if (turn && !turn.messageId) this.settle(turnId);
  }

  /** No turn comes of it, so the answer tells where it stands. */
  private async postAlone({ turnId, requestId, text }: Outgoing): Promise<void> {
    const { message } = await this.stubs.context.postMessage({
      conversationId: this.conversationId,
      requestId,
      parts: [create(PartSchema, { content: { case: "text", value: text } })],
    });
    if (message) this.post(message, message.offset, "");
    this.settle(turnId);
  }

  /** Whether an entry, a question or its answer, goes back to what one has asked oneself. */
  mayAskAgain(entry: Entry): boolean {
    return this.questionOf(entry)?.author === this.self && !this.isArchived;
  }

  /** Ask once more what an entry asked, or was the answer to: it is another turn. */
  askAgain(entry: Entry, wishes: Wishes): void {
    const question = this.questionOf(entry);
    const handler = wishes.handler === NOBODY ? "" : wishes.handler;
    if (question) void this.ask(question.text, { ...wishes, handler });
  }

  private questionOf(entry: Entry): Entry | undefined {
    if (entry.role === "user") return entry;
    return this.entries.get(this.turns.get(entry.turnId)?.messageId ?? "");
  }

  /** Say something again that failed; it is the same turn. */
  retry({ text, wishes, turnId, requestId }: Outgoing): Promise<void> {
    return this.ask(text, wishes, turnId, requestId);
  }

  /** The stream is there, again: so what no server took can be sent. */
  private connected(): void {
    this.tellPresence(true);
    const newest = this.outgoing.findLast(isHeld);
    if (newest) void this.retry(newest);
  }

  /** Forget what failed. */
  discard(outgoing: Outgoing): void {
    this.settle(outgoing.turnId);
  }

  /** Stop a turn: when this returns no more of it comes. Throws AntiphonError. */
  async stop(turn: TurnView): Promise<void> {
    turn.isStopping = true;
    this.changed();
    try {
      const { conversationId } = this;
      const stopped = await this.stubs.dispatcher.cancelTurn({
        conversationId,
        turnId: turn.turnId,
      });
      if (stopped.turn) turn.assign(stopped.turn);
    } finally {
      turn.isStopping = false;
      this.changed();
    }
  }

  /** Stop what is being answered, and what was just sent. */
  async stopAll(): Promise<void> {
    const sent = this.outgoing.filter(isAnswered);
    const turns = [...this.open, ...sent.map((each) => this.turnOf(each.turnId))];
    await Promise.all([...new Set(turns)].map((turn) => this.stop(turn)));
  }

  /** Tell the others whether one is typing; often, for it is thinned out here. */
  setTyping(typing: boolean): void {
    const now = Date.now();
    if (typing ? now - this.typedAt < TYPING_EVERY_MS : this.typedAt === 0) return;
    this.typedAt = typing ? now : 0;
    this.tell({ case: "typing", value: { typing } });
  }

  /** Another title. Throws AntiphonError. */
  async rename(title: string): Promise<void> {
    const changed = await this.stubs.context.updateConversation({
      conversation: { conversationId: this.conversationId, title },
      updateMask: { paths: ["title"] },
    });
    this.conversation = changed.conversation ?? this.conversation;
    this.changed();
  }

  /** Take it out of use. Throws AntiphonError. */
  async archive(): Promise<void> {
    const { conversationId } = this;
    const archived = await this.stubs.context.archiveConversation({ conversationId });
    this.conversation = archived.conversation ?? this.conversation;
    this.changed();
  }

  private tellPresence(present: boolean): void {
    this.tell({ case: "presence", value: { present } });
  }

  /** Who comes is told of those who are here: not by all at once, and once for all who came meanwhile. */
  private greet(): void {
    this.greeting ??= setTimeout(() => {
      this.greeting = undefined;
      this.tellPresence(true);
    }, Math.random() * GREETING_MS);
  }

  /** What may be dropped is not repeated, and its failure is nobody's business. */
  private tell(
    payload:
      | { case: "typing"; value: { typing: boolean } }
      | { case: "presence"; value: { present: boolean } },
  ): void {
    const scope = `conversations/${this.conversationId}`;
    void this.stubs.events.publishEphemeral({ scope, payload }).catch(() => {});
  }

  private take(events: Event[]): void {
    for (const event of events) {
      const { payload } = event;
      const comes = payload.case === "presenceChanged" && payload.value.present;
      if (comes && event.actor !== this.self && !this.company.here.includes(event.actor)) this.greet();
      this.company.take(event);
      if (event.turnId) this.turnOf(event.turnId).apply(event);
      this.takePayload(event);
    }
    this.changed();
  }

  private takePayload(event: Event): void {
    const { payload } = event;
    switch (payload.case) {
      case "messagePosted":
        if (payload.value.message) {
          const timeMs = event.time ? timestampMs(event.time) : Date.now();
          this.post(payload.value.message, event.lastOffset, event.turnId, timeMs);
        }
        break;
      case "turnFinished": {
        this.settle(event.turnId);
        const turn = this.turnOf(event.turnId);
        if (lacksUsage(turn)) setTimeout(() => void this.learnUsage(turn), SETTLED_MS);
        break;
      }
      case "memberAdded":
      case "memberUpdated":
        if (`users/${payload.value.member?.userId}` === this.self) this.ownRole = payload.value.member?.role;
        break;
      case "conversationUpdated":
      case "conversationArchived":
        this.conversation = payload.value.conversation ?? this.conversation;
        break;
    }
  }

  /**
   * A turn that was stopped before its model had reported: the ledger knows what it took, as soon
   * as all its calls are settled. Until then it has what they ask, and not what they answered.
   */
  private async learnUsage(turn: TurnView, tries = SETTLING_TRIES): Promise<void> {
    const { conversationId } = this;
    const workspaceId = this.conversation?.workspaceId;
    try {
      if (!workspaceId || !(await this.mayReadUsage(workspaceId)) || this.isClosed) return;
      const { turnId } = turn;
      const request = { workspaceId, conversationId, turnId, pageSize: MOST_CALLS };
      const { calls, total } = await this.stubs.integration.getUsage(request);
      if (calls.length && calls.every(isSettled)) {
        turn.usage = total;
        turn.revision += 1;
        this.changed();
      } else if (tries > 1) {
        setTimeout(() => void this.learnUsage(turn, tries - 1), SETTLED_MS);
      }
    } catch {
      // a figure less
    }
  }

  private post(message: Message, offset: bigint, turnId: string, timeMs?: number): void {
    this.entries.set(message.messageId, {
      id: message.messageId,
      role: roleOf(message),
      author: message.author,
      text: textOf(message.parts),
      others: message.parts.filter((part) => part.content.case !== "text"),
      turnId: message.turnId || turnId,
      timeMs: timeMs ?? (message.createTime ? timestampMs(message.createTime) : 0),
      offset,
      isTruncated: message.truncated,
    });
    this.sorted = undefined;
    if (message.role === MessageRole.USER) this.settle(message.turnId || turnId);
  }

  private settle(turnId: string): void {
    if (!this.outgoing.some((each) => each.turnId === turnId)) return;
    this.outgoing = this.outgoing.filter((each) => each.turnId !== turnId);
    this.changed();
  }

  private turnOf(turnId: string): TurnView {
    let turn = this.turns.get(turnId);
    if (!turn) this.turns.set(turnId, (turn = new TurnView(turnId)));
    return turn;
  }

  private fail(error: AntiphonError): void {
    this.error = error;
    this.changed();
  }
}

/** Whether no server took it, for none was there. */
function isHeld({ state, error }: Outgoing): boolean {
  return state === "failed" && error?.isAway === true;
}

function lacksUsage(turn: TurnView): boolean {
  return turn.isDone && turn.state !== TurnState.SUCCEEDED && !turn.usage;
}

/** Whether its figures are known; those of a call that runs, or whose server died, are not. */
function isSettled({ outcome }: ModelCall): boolean {
  return outcome !== AttemptOutcome.UNKNOWN && outcome !== AttemptOutcome.UNSPECIFIED;
}

function isToPeople({ wishes }: Outgoing): boolean {
  return wishes.handler === NOBODY;
}

/** Whether what is on its way will be answered. */
export function isAnswered(outgoing: Outgoing): boolean {
  return outgoing.state === "sending" && !isToPeople(outgoing);
}

/** Whether a turn waits for others. */
export function isQueued(turn: TurnView): boolean {
  return turn.state === TurnState.QUEUED;
}

function roleOf(message: Message): Entry["role"] {
  if (message.role === MessageRole.ASSISTANT) return "assistant";
  return message.role === MessageRole.SYSTEM ? "system" : "user";
}
