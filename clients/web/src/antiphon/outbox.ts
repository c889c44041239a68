// What this page has said and the log does not have yet.

import { create } from "@bufbuild/protobuf";
import { TurnPolicy } from "../gen/antiphon/context/v1/conversation_pb";
import { type Message, PartSchema } from "../gen/antiphon/context/v1/message_pb";
import type { Turn } from "../gen/antiphon/dispatcher/v1/turn_pb";
import { Backoff } from "./backoff";
import type { Stubs } from "./channel";
import { type AntiphonError, connectionLost, errorOf } from "./errors";
import { newRequestId, newTurnId } from "./ids";

/** Who answers what is said to people alone. */
export const NOBODY = "(nobody)";

/** How to ask: empty means the server's choice; NOBODY is a handler that nobody is. */
export interface Wishes {
  handler: string;
  model: string;
  /** What it is to programs, and what they say of it. */
  type?: string;
  metadata?: Record<string, string>;
}

/** One thing that was said, under its own turn id until the log has it. */
export interface Outgoing {
  turnId: string;
  requestId: string;
  text: string;
  wishes: Wishes;
  state: "sending" | "failed";
  /** Whether no server took it so far, for none was there: it is tried again by itself. */
  isHeld: boolean;
  error: AntiphonError | undefined;
  sinceMs: number;
}

const FIRST_PAUSE_MS = 2_000;
const MOST_PAUSE_MS = 15_000;
const STUCK_MS = 1_000;

/** Who is told of what comes of it. */
export interface Receiver {
  changed(): void;
  /** A server took it: this is its turn now. */
  accepted(turn: Turn): void;
  /** It was said to people alone: it stands in the log. */
  posted(message: Message): void;
}

/** Sends what is said, in its order; what no server took again and again, until one does. */
export class Outbox {
  private sending = Promise.resolve();
  private readonly backoff = new Backoff(FIRST_PAUSE_MS, MOST_PAUSE_MS);
  private timer: ReturnType<typeof setTimeout> | undefined;
  private call: { began: number; aborting: AbortController } | undefined;

  constructor(
    private readonly conversationId: string,
    private readonly stubs: Stubs,
    private readonly receiver: Receiver,
    /** What was said before and kept; `retryHeld` sends what waits of it. */
    public outgoing: Outgoing[] = [],
  ) {}

  /** Say something. Nothing is thrown: what fails is shown where it is. */
  say(text: string, wishes: Wishes, turnId = newTurnId()): Promise<void> {
    const outgoing: Outgoing = {
      ...{ turnId, requestId: newRequestId(), text, wishes: { ...wishes } },
      ...{ state: "sending", isHeld: false, error: undefined, sinceMs: Date.now() },
    };
    this.outgoing = [...this.outgoing, outgoing];
    return this.begin(outgoing);
  }

  /** Say something again that failed; it is the same turn. */
  async retry(outgoing: Outgoing): Promise<void> {
    const place = this.outgoing.findIndex(({ turnId }) => turnId === outgoing.turnId);
    if (place < 0) return;
    const again: Outgoing = { ...outgoing, state: "sending" };
    this.outgoing = this.outgoing.with(place, again);
    await this.begin(again);
  }

  /**
   * There is reason to believe that a server is there: send what none took. A call that hangs on a
   * connection of before is given up for it.
   */
  retryHeld(): void {
    if (this.call && Date.now() - this.call.began > STUCK_MS) return this.call.aborting.abort();
    const newest = this.outgoing.findLast(isHeld);
    if (newest) void this.retry(newest);
  }

  /** Send nothing more by itself. */
  close(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** The log has it, or it is to be forgotten. */
  settle(turnId: string): void {
    if (!this.outgoing.some((each) => each.turnId === turnId)) return;
    this.outgoing = this.outgoing.filter((each) => each.turnId !== turnId);
    this.receiver.changed();
  }

  private async begin(outgoing: Outgoing): Promise<void> {
    this.close();
    this.receiver.changed();
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
      Object.assign(newest, { state: "failed", isHeld: true, error: each.error });
      this.close();
      this.timer = setTimeout(() => this.retryHeld(), this.backoff.next());
      break;
    }
    this.receiver.changed();
  }

  private async send(outgoing: Outgoing): Promise<void> {
    outgoing.state = "sending";
    this.receiver.changed();
    const aborting = new AbortController();
    this.call = { began: Date.now(), aborting };
    try {
      await (isToPeople(outgoing) ? this.postAlone(outgoing, aborting.signal) : this.dispatch(outgoing, aborting.signal));
      this.backoff.reset();
    } catch (thrown) {
      const error = aborting.signal.aborted ? connectionLost("it took too long") : errorOf(thrown);
      Object.assign(outgoing, { state: "failed", isHeld: error.isAway, error });
    } finally {
      this.call = undefined;
    }
  }

  private async dispatch({ turnId, text, wishes }: Outgoing, signal: AbortSignal): Promise<void> {
    const request = {
      conversationId: this.conversationId,
      turnId,
      handler: wishes.handler,
      models: wishes.model ? [wishes.model] : [],
      parts: [create(PartSchema, { content: { case: "text", value: text } })],
      policy: TurnPolicy.UNSPECIFIED,
      ...saidBeside(wishes),
    };
    const { turn } = await this.stubs.dispatcher.dispatch(request, { signal });
    if (turn) this.receiver.accepted(turn);
    // Cancelled before it came, or over already: no message will tell of it.
    if (turn && (!turn.messageId || turn.endTime)) this.settle(turnId);
  }

  /** No turn comes of it, so the answer tells where it stands. */
  private async postAlone({ turnId, requestId, text, wishes }: Outgoing, signal: AbortSignal): Promise<void> {
    const request = {
      conversationId: this.conversationId,
      requestId,
      parts: [create(PartSchema, { content: { case: "text", value: text } })],
      ...saidBeside(wishes),
    };
    const { message } = await this.stubs.context.postMessage(request, { signal });
    if (message) this.receiver.posted(message);
    this.settle(turnId);
  }
}

/** Whether it waits for a server that takes it. */
function isHeld({ state, isHeld }: Outgoing): boolean {
  return state === "failed" && isHeld;
}

function saidBeside({ type = "", metadata = {} }: Wishes): { type: string; metadata: Record<string, string> } {
  return { type, metadata };
}

function isToPeople({ wishes }: Outgoing): boolean {
  return wishes.handler === NOBODY;
}

/** Whether what is on its way will be answered. */
export function isAnswered(outgoing: Outgoing): boolean {
  return outgoing.state === "sending" && !isToPeople(outgoing);
}
