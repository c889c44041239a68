// A conversation that is open: what was said, what is being said, and saying something.

import { type ResultPart, readPart } from "./results";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Role } from "../gen/antiphon/auth/v1/access_pb";
import type { Conversation, Member } from "../gen/antiphon/context/v1/conversation_pb";
import { type Message, MessageRole } from "../gen/antiphon/context/v1/message_pb";
import type { Turn } from "../gen/antiphon/dispatcher/v1/turn_pb";
import { type Event, TurnState } from "../gen/antiphon/events/v1/event_pb";
import type { ToolAnswerAction } from "../gen/antiphon/integration/v1/tool_pb";
import type { ToolCall } from "./calls";
import { Changing } from "./changing";
import type { Stubs } from "./channel";
import { Company } from "./company";
import { Costs } from "./costs";
import { type AntiphonError, errorOf } from "./errors";
import type { Follower, Watching } from "./follower";
import { newTurnId } from "./ids";
import { NOBODY, Outbox, type Outgoing, type Wishes, isAnswered } from "./outbox";
import { Past } from "./past";
import type { Question, Value } from "./questions";
import { type Child, type Entry, Transcript } from "./transcript";
import type { TurnView } from "./turn";

const TYPING_EVERY_MS = 5_000;
const PRESENT_EVERY_MS = 40_000;
const GREETING_MS = 2_000;
const AWAITED_MS = 1_000;
const FAR = 5_000;

/** How looking for a message ended: `far` is to be gone on with, if somebody wants to. */
export type Reached = "there" | "missing" | "far" | "failed" | "stopped";

/** What whoever opens a conversation knows of it, and wants to know. */
export interface ThreadOptions {
  /** What answers took is asked for only where this says so: refusals are on record. */
  mayReadUsage?: (workspaceId: string) => Promise<boolean>;
  /** Somebody was let in just now, or takes part otherwise. */
  onMember?: (member: Member) => void;
  /** What was said before, and no server may have. */
  unsent?: Outgoing[];
}

/**
 * One conversation. It is read once, and then kept up by its log: what a broken connection or a
 * restart of the server left out comes when there is a connection again.
 */
export class Thread extends Changing {
  readonly company: Company;
  /** Grows with each change of the conversation's whiteboard that the log tells. */
  notes = 0;
  conversation: Conversation | undefined;
  isLoading = true;
  /** Whether all that was said there was erased, or is being erased. */
  isErased = false;
  /** How many messages were read so far to reach one; undefined while nobody wants to. */
  reaching: number | undefined;
  error: AntiphonError | undefined;
  /** What was taken back, until somebody writes it anew. */
  takenBack: Outgoing | undefined;
  private readonly transcript = new Transcript();
  private readonly past: Past;
  private readonly costs: Costs;
  private readonly outbox: Outbox;
  private watching: Watching | undefined;
  private isClosed = false;
  private older: Promise<void> | undefined;
  private typedAt = 0;
  private ownRole: Role | undefined;
  private greeting: ReturnType<typeof setTimeout> | undefined;
  private presence: ReturnType<typeof setInterval> | undefined;
  private awaiting: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly conversationId: string,
    private readonly stubs: Stubs,
    private readonly follower: Follower,
    readonly self: string,
    private readonly options: ThreadOptions = {},
  ) {
    super();
    const changed = () => this.changed();
    this.company = new Company(self);
    this.costs = new Costs(stubs, { place: () => this.ledger(), changed });
    this.past = new Past(conversationId, stubs, this.transcript, (turns) => this.costs.learnOf(turns));
    const receiver = {
      changed,
      accepted: (turn: Turn) => this.transcript.turnOf(turn.turnId).assign(turn),
      posted: (message: Message) => this.post(message, message.offset, ""),
    };
    this.outbox = new Outbox(conversationId, stubs, receiver, options.unsent);
  }

  /** What was said, the oldest first; what others were told and answered for a turn is its own. */
  get messages(): Entry[] {
    return this.transcript.messages;
  }

  /** How many messages are known, also of those that are shown in others. */
  get known(): number {
    return this.transcript.size;
  }

  /** What this page has said and the log does not have yet. */
  get outgoing(): Outgoing[] {
    return this.outbox.outgoing;
  }

  /** Whether routes have looked at a turn here, as far as is known. */
  get isRouted(): boolean {
    return this.transcript.isRouted;
  }

  /** The turns that run or wait, in the order they came; not those that turns have asked for. */
  get open(): TurnView[] {
    return this.transcript.open;
  }

  /** Whether more was said before what is known. */
  get hasOlder(): boolean {
    return this.past.hasOlder;
  }

  /** Whether what was said before is being read. */
  get isLoadingOlder(): boolean {
    return this.older !== undefined || this.reaching !== undefined;
  }

  /** Whether something is to come: an answer, or word of what was sent. */
  private get isAwaited(): boolean {
    return this.open.length > 0 || this.outgoing.some(({ state }) => state === "sending");
  }

  /** A turn, if it is known. */
  turn(turnId: string): TurnView | undefined {
    return this.transcript.turn(turnId);
  }

  /** What a call had another handler do, if that is known. */
  childOf(turn: TurnView, call: ToolCall): Child | undefined {
    return this.transcript.childOf(turn, call);
  }

  /** The turns that it has asked for, and that these have. */
  descendantsOf(turn: TurnView): Child[] {
    return this.transcript.descendantsOf(turn);
  }

  /** Whether the turn's answer has been posted, or is about to be. */
  hasReply(turn: TurnView): boolean {
    return this.transcript.entry(turn.replyMessageId) !== undefined;
  }

  /** Whether one is told who takes part, as far as the log still says: guests are not. */
  get isToldMembers(): boolean {
    return this.ownRole !== undefined && this.ownRole !== Role.GUEST;
  }

  /** Whether one may write there, and so decide about calls, as far as the log says. */
  get mayWrite(): boolean {
    return this.ownRole !== Role.VIEWER && !this.isArchived;
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
      this.outbox.retryHeld(); // no stream will tell when to
    }
    this.isLoading = false;
    this.changed();
  }

  /** Stop following; say that one has left. */
  close(): void {
    this.isClosed = true;
    this.watching?.close();
    this.company.close();
    this.outbox.close();
    clearInterval(this.presence);
    clearInterval(this.awaiting);
    clearTimeout(this.greeting);
    if (!this.error && !this.isLoading) this.tellPresence(false);
  }

  /**
   * Where to begin to follow is found before the messages are read, so that what is said
   * meanwhile comes twice rather than never; all that comes twice has an id or a place.
   */
  private async load(): Promise<void> {
    const { conversationId } = this;
    const [found, cursor] = await Promise.all([
      this.stubs.context.getConversation({ conversationId }),
      this.past.readWhatIsUnderWay((event) => this.takeIn(event)),
    ]);
    this.conversation = found.conversation;
    this.isErased = found.erased;
    await this.readNewest();
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
    this.awaiting = setInterval(() => this.isAwaited && this.follower.check(), AWAITED_MS);
  }

  /** History was lost: read the state, and go on from what there is. */
  private async reload(error: AntiphonError): Promise<string> {
    this.transcript.clear();
    this.notes += 1;
    await this.readNewest();
    this.changed();
    return error.variables["earliest_cursor"] ?? "";
  }

  private async readNewest(): Promise<void> {
    await this.past.readNewest();
    for (const { turnId } of this.messages) this.outbox.settle(turnId); // a server took it, and nobody was told
  }

  /** Read what was said before. */
  async loadOlder(): Promise<void> {
    if (!this.isLoadingOlder && this.hasOlder) await this.readOlder();
  }

  /**
   * Read back until a message is known, or so many others are. Messages are kept without holes, so
   * all between it and what is shown is read, too. Nothing is thrown.
   */
  async reach(messageId: string, signal: AbortSignal, most = FAR): Promise<Reached> {
    await this.older;
    const before = this.known;
    try {
      for (;;) {
        if (signal.aborted || this.isClosed) return "stopped";
        if (this.entry(messageId)) return "there";
        if (this.error) return "failed";
        if (!this.hasOlder) return "missing";
        this.reaching = this.known - before;
        if (this.reaching >= most) return "far";
        await this.readOlder(true);
      }
    } finally {
      this.reaching = undefined;
      this.changed();
    }
  }

  /** Read one page more; what fails is told by `error`. */
  private readOlder(isFar = false): Promise<void> {
    const work = async () => {
      try {
        await this.past.readOlder(isFar);
      } catch (thrown) {
        this.error = errorOf(thrown);
      }
      this.older = undefined;
      this.changed();
    };
    this.older = work();
    this.changed();
    return this.older;
  }

  /** Say something and have it answered, unless it is to people alone. Nothing is thrown. */
  ask(text: string, wishes: Wishes): Promise<void> {
    this.typedAt = 0;
    return this.outbox.say(text, wishes);
  }

  /** What an entry asked, or was the answer to. */
  questionOf(entry: Entry): Entry | undefined {
    return this.transcript.questionOf(entry);
  }

  /** A message, if it is known. */
  entry(messageId: string): Entry | undefined {
    return this.transcript.entry(messageId);
  }

  /** Ask once more what was asked: it is another turn, which says whose question it repeats. */
  askAgain(question: Entry, wishes: Wishes): void {
    const handler = wishes.handler === NOBODY ? "" : wishes.handler;
    const { type, metadata } = question; // programs said them, and do so of the same question
    void this.outbox.say(question.text, { ...wishes, handler, type, metadata }, newTurnId(question.turnId));
  }

  /** Say something again that failed; it is the same turn. */
  retry(outgoing: Outgoing): Promise<void> {
    return this.outbox.retry(outgoing);
  }

  /** The stream is there, again: so what no server took can be sent. */
  private connected(): void {
    this.tellPresence(true);
    this.outbox.retryHeld();
  }

  /** Send what no server took: there is a network, again. */
  retryHeld(): void {
    this.outbox.retryHeld();
  }

  /** What a filter refused is to be said otherwise: it leaves the conversation for where one writes. */
  takeBack(outgoing: Outgoing): void {
    this.takenBack = outgoing;
    this.discard(outgoing);
  }

  /** Forget what failed. */
  discard(outgoing: Outgoing): void {
    this.outbox.settle(outgoing.turnId);
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
    const turns = [...this.open, ...sent.map((each) => this.transcript.turnOf(each.turnId))];
    await Promise.all([...new Set(turns)].map((turn) => this.stop(turn)));
  }

  /**
   * Approve or deny a call that waits; says whose decision counts, which was the first. It is shown
   * by what the log says of it. Throws AntiphonError.
   */
  async decide(turn: TurnView, call: ToolCall, approve: boolean, reason = ""): Promise<string> {
    const { approved, decidedBy } = await this.stubs.dispatcher.decideToolCall({
      conversationId: this.conversationId,
      turnId: turn.turnId,
      toolCallId: call.id,
      argumentsSha256: call.sha256,
      approve,
      reason,
    });
    if (!call.decision) turn.calls.decide(call.id, { approved, by: decidedBy, reason: "" });
    this.changed();
    return decidedBy;
  }

  /**
   * Answer what a call's tool asks, or decline to; says whose answer counts, which was the first.
   * Throws AntiphonError.
   */
  async answer(
    turn: TurnView,
    call: ToolCall,
    question: Question,
    action: ToolAnswerAction,
    content?: Record<string, Value>,
  ): Promise<string> {
    const contentJson = content ? JSON.stringify(content) : "";
    const first = await this.stubs.dispatcher.answerToolCall({
      conversationId: this.conversationId,
      turnId: turn.turnId,
      toolCallId: call.id,
      questionId: question.id,
      questionSha256: question.sha256,
      action,
      contentJson,
    });
    const { answeredBy: by } = first;
    const isOurs = by === this.self && first.action === action;
    if (!question.reply) {
      turn.calls.answer(call.id, question.id, { action: first.action, by, content: isOurs ? contentJson : "" });
    }
    this.changed();
    return by;
  }

  /** The first `most` bytes of a part of a call's result that is kept. Throws AntiphonError. */
  async readResult(call: ToolCall, part: number, most: number): Promise<ResultPart> {
    return readPart(this.stubs, this.conversationId, call.id, part, most);
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

  /** Take it into use again. Throws AntiphonError. */
  async unarchive(): Promise<void> {
    const { conversationId } = this;
    const back = await this.stubs.context.unarchiveConversation({ conversationId });
    this.conversation = back.conversation ?? this.conversation;
    this.changed();
  }

  /** Take away all that was said there; what is under way is waited for. Throws AntiphonError. */
  async erase(): Promise<void> {
    const { conversationId } = this;
    await this.stubs.erasures.eraseConversation({ conversationId });
    const left = await this.stubs.context.getConversation({ conversationId });
    this.conversation = left.conversation;
    this.isErased = left.erased;
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
      this.takeIn(event);
      const isMember = payload.case === "memberAdded" || payload.case === "memberUpdated";
      if (isMember && payload.value.member) this.options.onMember?.(payload.value.member);
    }
    this.changed();
  }

  private takeIn(event: Event): void {
    const { payload } = event;
    // A turn whose message was refused never began.
    if (event.turnId && payload.case !== "contentScreened") this.transcript.turnOf(event.turnId).apply(event);
    switch (payload.case) {
      case "messagePosted":
        if (payload.value.message) {
          const timeMs = event.time ? timestampMs(event.time) : Date.now();
          this.post(payload.value.message, event.lastOffset, event.turnId, timeMs);
        }
        break;
      case "contentScreened":
        if (payload.value.screening) this.transcript.screen(payload.value.screening, event.lastOffset);
        break;
      case "messagesErased":
        this.transcript.erase(payload.value.messageIds, payload.value.turnIds);
        break;
      case "turnFinished":
        this.outbox.settle(event.turnId);
        this.costs.learnSoon(this.transcript.turnOf(event.turnId));
        break;
      case "whiteboardChanged":
        this.notes += 1;
        break;
      case "memberAdded":
      case "memberUpdated":
        if (`users/${payload.value.member?.userId}` === this.self) this.ownRole = payload.value.member?.role;
        break;
      case "conversationUpdated":
      case "conversationArchived":
      case "conversationUnarchived":
        this.conversation = payload.value.conversation ?? this.conversation;
        break;
    }
  }

  private async ledger(): Promise<{ workspaceId: string; conversationId: string } | undefined> {
    const { conversationId } = this;
    const workspaceId = this.conversation?.workspaceId;
    if (!workspaceId || (await this.options.mayReadUsage?.(workspaceId)) === false || this.isClosed) return undefined;
    return { workspaceId, conversationId };
  }

  private post(message: Message, offset: bigint, turnId: string, timeMs?: number): void {
    this.transcript.post(message, offset, turnId, timeMs);
    if (message.role === MessageRole.USER) this.outbox.settle(message.turnId || turnId);
  }

  private fail(error: AntiphonError): void {
    this.error = error;
    this.changed();
  }
}

/** Whether a turn waits for others. */
export function isQueued(turn: TurnView): boolean {
  return turn.state === TurnState.QUEUED;
}
