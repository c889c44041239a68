// What was said and no server has yet: it is kept, and sent under its own ids.

import { Code } from "@connectrpc/connect";
import { AntiphonError, type Outgoing } from "../antiphon";
import type { Memory } from "./memory";

const NAME = "unsent.";
// As long as a server knows what it has taken by the request's id, and somewhat less.
const LONGEST_MS = 23 * 3_600_000;

interface Kept extends Omit<Outgoing, "state" | "error"> {
  conversationId: string;
}

/** What waits for a server, or was refused, each under its turn's id. */
export class UnsentBook {
  /** Of each conversation what is kept, by its turn, and whether it waits. */
  private readonly written = new Map<string, Map<string, boolean>>();

  constructor(private readonly memory: Memory) {}

  /** Conversations in which something waits for a server. */
  get waiting(): string[] {
    return [...new Set(this.all.filter(isWaiting).map(({ conversationId }) => conversationId))];
  }

  /** What is to be sent there, or was refused. What is too old to be sent by itself was not sent. */
  of(conversationId: string): Outgoing[] {
    const found = this.all.filter((each) => each.conversationId === conversationId);
    this.written.set(conversationId, new Map(found.map((each) => [each.turnId, each.isHeld])));
    const error = new AntiphonError(Code.Unknown, "It was not sent.");
    return found.map(({ conversationId: _, ...each }) => ({ ...each, state: "failed", isHeld: isWaiting(each), error }));
  }

  /** What has not been sent there as it is now. */
  keep(conversationId: string, outgoing: Outgoing[]): void {
    const before = this.written.get(conversationId);
    if (!outgoing.length && !before?.size) return;
    const now = new Map(outgoing.map((each) => [each.turnId, isUnderWay(each)]));
    this.written.set(conversationId, now);
    for (const turnId of before?.keys() ?? []) if (!now.has(turnId)) this.memory.set(NAME + turnId, undefined);
    for (const { state: _, error: __, ...each } of outgoing) {
      const isHeld = now.get(each.turnId) === true;
      if (before?.get(each.turnId) !== isHeld) this.memory.set(NAME + each.turnId, { ...each, isHeld, conversationId });
    }
  }

  /** The oldest first. */
  private get all(): Kept[] {
    return this.memory.all<Kept>(NAME).sort((one, other) => one.sinceMs - other.sinceMs);
  }
}

function isUnderWay({ isHeld, state }: Outgoing): boolean {
  return isHeld || state === "sending";
}

function isWaiting({ isHeld, sinceMs }: Pick<Kept, "isHeld" | "sinceMs">): boolean {
  return isHeld && Date.now() - sinceMs < LONGEST_MS;
}
