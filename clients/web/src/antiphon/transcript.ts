// What was said in a conversation, and its turns, as they become known.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Message, MessageRole } from "../gen/antiphon/context/v1/message_pb";
import { TurnState } from "../gen/antiphon/events/v1/event_pb";
import type { Screening } from "../gen/antiphon/context/v1/filter_pb";
import { type ToolCall, begunBy } from "./calls";
import { Cuts, type Removed, removedBy } from "./cuts";
import { textOf } from "./text";
import { TurnView } from "./turn";

const UNDER_WAY = new Set([TurnState.QUEUED, TurnState.RUNNING]);

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
  /** Whether it was said to people alone, and no model is told of it. */
  isAside: boolean;
  /** Whether a filter held it: then its own turn alone is told of it, once a person has let that go on. */
  wasHeld: boolean;
  /** What it is to programs; empty of what people say. */
  type: string;
  metadata: Message["metadata"];
  /** What filters took out of it, as far as the log still says. */
  removed: Removed[];
  /** Whether what it said was erased. */
  isErased: boolean;
}

/** A turn that another one has asked for: what it was told, and what it answered. */
export interface Child {
  turn: TurnView;
  question: Entry | undefined;
  answer: Entry | undefined;
}

/** Messages by their places in the log, and turns in the order in which they became known. */
export class Transcript {
  private readonly entries = new Map<string, Entry>();
  private readonly turns = new Map<string, TurnView>();
  private readonly cuts = new Cuts();
  private sorted: Entry[] | undefined;

  /** What was said, the oldest first; but for what turns that turns have asked for have said. */
  get messages(): Entry[] {
    this.sorted ??= [...this.entries.values()]
      .filter((entry) => !isOfTree(entry))
      .sort((a, b) => Number(a.offset - b.offset));
    return this.sorted;
  }

  /** How much is known, whatever is shown of it. */
  get size(): number {
    return this.entries.size;
  }

  /** Whether routes have looked at a turn here, as far as is known. */
  get isRouted(): boolean {
    return [...this.turns.values()].some((turn) => turn.route);
  }

  /** The turns that run or wait, in the order they came; not those that turns have asked for. */
  get open(): TurnView[] {
    return [...this.turns.values()].filter((turn) => UNDER_WAY.has(turn.state) && !turn.parentTurnId);
  }

  /** What a call had another handler do; undefined of a call of a tool, or while it is not known. */
  childOf(turn: TurnView, call: ToolCall): Child | undefined {
    const child = this.turns.get(begunBy(call));
    if (!child || child.parentTurnId !== turn.turnId) return undefined; // a call can name any turn
    const [question, answer] = [child.messageId, child.replyMessageId].map((id) => this.entries.get(id));
    return { turn: child, question, answer };
  }

  /** Those that it has asked for, and that these have. */
  descendantsOf(turn: TurnView): Child[] {
    return turn.toolCalls.flatMap((call) => {
      const child = this.childOf(turn, call);
      return child ? [child, ...this.descendantsOf(child.turn)] : [];
    });
  }

  /** A message, if it is known. */
  entry(messageId: string): Entry | undefined {
    return this.entries.get(messageId);
  }

  /** A turn, if it is known. */
  turn(turnId: string): TurnView | undefined {
    return this.turns.get(turnId);
  }

  /** A turn, known from now on. */
  turnOf(turnId: string): TurnView {
    let turn = this.turns.get(turnId);
    if (!turn) this.turns.set(turnId, (turn = new TurnView(turnId)));
    return turn;
  }

  /** What an entry asked, or was the answer to. */
  questionOf(entry: Entry): Entry | undefined {
    if (entry.role === "user") return entry;
    return this.entries.get(this.turns.get(entry.turnId)?.messageId ?? "");
  }

  /** Take a message in; it may come twice. */
  post(message: Message, offset: bigint, turnId: string, timeMs?: number): void {
    const entry = {
      id: message.messageId,
      role: roleOf(message),
      author: message.author,
      text: textOf(message.parts),
      others: message.parts.filter((part) => part.content.case !== "text"),
      turnId: message.turnId || turnId,
      timeMs: timeMs ?? (message.createTime ? timestampMs(message.createTime) : 0),
      offset,
      isTruncated: message.truncated,
      isAside: message.aside,
      wasHeld: message.aside && message.role === MessageRole.USER && message.turnId !== "",
      type: message.type,
      metadata: message.metadata,
      isErased: message.erased,
    };
    this.entries.set(entry.id, { ...entry, removed: [] });
    this.sorted = undefined;
    if (!this.cuts.isEmpty) this.mark();
  }

  /** Take in what filters said, which may be told before or after what they said it of. */
  screen(screening: Screening, offset: bigint): void {
    const { turnId, toolCallId } = screening;
    if (toolCallId) return this.turns.get(turnId)?.calls.screen(toolCallId, removedBy(screening));
    if (this.cuts.learn(screening, offset)) this.mark();
  }

  /** What these messages said is gone, and what else was kept of these turns. */
  erase(messageIds: string[], turnIds: string[]): void {
    for (const id of messageIds) {
      const entry = this.entries.get(id);
      if (!entry) continue;
      const left = { text: "", others: [], type: "", metadata: {}, removed: [], isErased: true };
      this.entries.set(id, { ...entry, ...left });
    }
    for (const id of turnIds) this.turns.get(id)?.erase(messageIds);
    this.sorted = undefined;
  }

  /** Each message has what was taken out of it. */
  private mark(): void {
    for (const entry of this.entries.values()) {
      const removed = this.cuts.of(entry, this.entries.values());
      if (removed.length !== entry.removed.length) this.entries.set(entry.id, { ...entry, removed });
    }
    this.sorted = undefined;
  }

  /** Forget all of it: it is read anew. */
  clear(): void {
    this.entries.clear();
    this.turns.clear();
    this.cuts.clear();
    this.sorted = undefined;
  }
}

/** Whether a turn that another one has asked for was told it, or answered it: people ask in their own names. */
function isOfTree({ isAside, role, author }: Entry): boolean {
  return isAside && (role === "assistant" || author.startsWith("handlers/"));
}

function roleOf(message: Message): Entry["role"] {
  if (message.role === MessageRole.ASSISTANT) return "assistant";
  return message.role === MessageRole.SYSTEM ? "system" : "user";
}
