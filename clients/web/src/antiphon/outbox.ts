// What this page has said and the log does not have yet.

import { create } from "@bufbuild/protobuf";
import { TurnPolicy } from "../gen/antiphon/context/v1/conversation_pb";
import { type Message, PartSchema } from "../gen/antiphon/context/v1/message_pb";
import type { Turn } from "../gen/antiphon/dispatcher/v1/turn_pb";
import type { Stubs } from "./channel";
import { type AntiphonError, errorOf } from "./errors";
import { newRequestId, newTurnId } from "./ids";

/** Who answers what is said to people alone. */
export const NOBODY = "(nobody)";

/** How to ask: empty means the server's choice; NOBODY is a handler that nobody is. */
export interface Wishes {
  handler: string;
  model: string;
}

/** One thing that was said, under its own turn id until the log has it. */
export interface Outgoing {
  turnId: string;
  requestId: string;
  text: string;
  wishes: Wishes;
  state: "sending" | "failed";
  error: AntiphonError | undefined;
}

/** Who is told of what comes of it. */
export interface Receiver {
  changed(): void;
  /** A server took it: this is its turn now. */
  accepted(turn: Turn): void;
  /** It was said to people alone: it stands in the log. */
  posted(message: Message): void;
}

/** Sends what is said, in its order. */
export class Outbox {
  outgoing: Outgoing[] = [];
  private sending = Promise.resolve();

  constructor(
    private readonly conversationId: string,
    private readonly stubs: Stubs,
    private readonly receiver: Receiver,
  ) {}

  /** Say something. Nothing is thrown: what fails is shown where it is. */
  async say(text: string, wishes: Wishes, turnId = newTurnId(), requestId = newRequestId()): Promise<void> {
    const outgoing: Outgoing = {
      ...{ turnId, requestId, text, wishes: { ...wishes } },
      ...{ state: "sending", error: undefined },
    };
    const place = this.outgoing.findIndex((each) => each.turnId === turnId);
    this.outgoing = place < 0 ? [...this.outgoing, outgoing] : this.outgoing.with(place, outgoing);
    this.receiver.changed();
    this.sending = this.sending.then(() => this.sendUpTo(outgoing));
    await this.sending;
  }

  /** Say something again that failed; it is the same turn. */
  retry({ text, wishes, turnId, requestId }: Outgoing): Promise<void> {
    return this.say(text, wishes, turnId, requestId);
  }

  /** Try again what no server took, for none was there. */
  retryHeld(): void {
    const newest = this.outgoing.findLast(isHeld);
    if (newest) void this.retry(newest);
  }

  /** The log has it, or it is to be forgotten. */
  settle(turnId: string): void {
    if (!this.outgoing.some((each) => each.turnId === turnId)) return;
    this.outgoing = this.outgoing.filter((each) => each.turnId !== turnId);
    this.receiver.changed();
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
    this.receiver.changed();
  }

  private async send(outgoing: Outgoing): Promise<void> {
    outgoing.state = "sending";
    this.receiver.changed();
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
    if (turn) this.receiver.accepted(turn);
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
    if (message) this.receiver.posted(message);
    this.settle(turnId);
  }
}

/** Whether no server took it, for none was there. */
function isHeld({ state, error }: Outgoing): boolean {
  return state === "failed" && error?.isAway === true;
}

function isToPeople({ wishes }: Outgoing): boolean {
  return wishes.handler === NOBODY;
}

/** Whether what is on its way will be answered. */
export function isAnswered(outgoing: Outgoing): boolean {
  return outgoing.state === "sending" && !isToPeople(outgoing);
}
