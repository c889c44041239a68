// In which order things stand: what was asked once more is answered where it was asked first.

import { type Entry, type Outgoing, type Thread, type TurnView, firstOf } from "../../antiphon";

/** One thing among what was said; a question that `isRepeated` has its answers in what follows. */
export type Item =
  | { kind: "said"; entry: Entry; question: Entry | undefined; isRepeated: boolean }
  | { kind: "versions"; question: Entry; turnIds: string[] }
  | { kind: "unsent"; outgoing: Outgoing }
  | { kind: "under way"; turn: TurnView; question: Entry | undefined }
  | { kind: "ended"; turn: TurnView; question: Entry };

/** All there is to show. An answer's `question` is set where one could mistake what it answers. */
export function itemsOf(thread: Thread): Item[] {
  const { messages } = thread;
  const asked = new Map(messages.filter(isQuestion).map((entry) => [entry.turnId, entry]));
  const first = (turnId: string) => (asked.has(firstOf(turnId)) ? firstOf(turnId) : turnId);
  const versions = new Map<string, string[]>();
  const again = thread.outgoing.filter(({ turnId }) => first(turnId) !== turnId);
  for (const { turnId } of [...asked.values(), ...again]) {
    const found = versions.get(first(turnId)) ?? [];
    if (!found.includes(turnId)) versions.set(first(turnId), [...found, turnId]);
  }
  const isMany = (turnId: string) => (versions.get(first(turnId))?.length ?? 0) > 1;
  const areSeveral = new Set([...asked.values()].map(({ author }) => author)).size > 1;
  const items: Item[] = [];
  const told = (question: Entry | undefined) => {
    const last = items.at(-1);
    const isBefore = last?.kind === "said" && last.entry === question;
    return isBefore && !areSeveral ? undefined : question;
  };
  for (const entry of messages) {
    if (isQuestion(entry) && first(entry.turnId) !== entry.turnId) continue;
    if (!isQuestion(entry) && isMany(entry.turnId)) continue;
    const question = entry.role === "assistant" ? told(thread.questionOf(entry)) : undefined;
    const isRepeated = isMany(entry.turnId);
    items.push({ kind: "said", entry, question, isRepeated });
    if (isRepeated) {
      items.push({ kind: "versions", question: entry, turnIds: versions.get(entry.turnId)! });
    } else if (isQuestion(entry)) {
      const turn = thread.turn(entry.turnId);
      if (turn && hasOnlyCalled(thread, turn)) items.push({ kind: "ended", turn, question: entry });
    }
  }
  for (const outgoing of thread.outgoing) {
    if (!again.includes(outgoing)) items.push({ kind: "unsent", outgoing });
  }
  for (const turn of thread.open) {
    if (thread.hasReply(turn) || isMany(turn.turnId)) continue;
    items.push({ kind: "under way", turn, question: told(thread.entry(turn.messageId)) });
  }
  return items;
}

/** Where a message is shown: in which element, and of which turn that is the answer. */
export interface Place {
  elementId: string;
  turnId: string;
}

/**
 * The place of a message that is known. What was asked again stands where it was asked first, and
 * what others did for an answer in that answer, or below its question if there is none.
 */
export function placeOf(thread: Thread, messageId: string): Place | undefined {
  const entry = thread.entry(messageId);
  if (!entry) return undefined;
  let turn = thread.turn(entry.turnId);
  const isOfTurn = turn?.parentTurnId !== undefined && turn.parentTurnId !== "";
  while (turn?.parentTurnId && thread.turn(turn.parentTurnId)) turn = thread.turn(turn.parentTurnId);
  const shown = isOfTurn && turn ? (thread.entry(turn.replyMessageId) ?? thread.entry(turn.messageId) ?? entry) : entry;
  const asked = isQuestion(shown) ? thread.messages.find((each) => isQuestion(each) && each.turnId === firstOf(shown.turnId)) : undefined;
  return { elementId: (asked ?? shown).id, turnId: shown.turnId };
}

/** Whether it ended without a word, and called tools: that has to be shown somewhere. */
export function hasOnlyCalled(thread: Thread, turn: TurnView): boolean {
  return turn.isDone && turn.toolCalls.length > 0 && !thread.hasReply(turn);
}

function isQuestion(entry: Entry): boolean {
  return entry.role === "user" && entry.turnId !== "";
}
