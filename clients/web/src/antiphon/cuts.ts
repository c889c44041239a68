// What filters took out of what was said, as the conversation's log tells it.

import { FilterAction, FilterStage, type Screening } from "../gen/antiphon/context/v1/filter_pb";

/** What one filter took out. */
export interface Removed {
  filter: string;
  categories: string[];
}

/** What is to be known of something that was said, to find what was taken out of it. */
interface Said {
  role: string;
  author: string;
  turnId: string;
  text: string;
  offset: bigint;
}

interface Cut extends Pick<Said, "author" | "turnId" | "offset"> {
  isAnswer: boolean;
  removed: Removed[];
}

/** So few events lie between a message that belongs to no turn and what filters said of it. */
const NEAR = 20n;

/** What was taken out, and of what. */
export class Cuts {
  private readonly known = new Map<string, Cut>();

  /** Whether anything is known. */
  get isEmpty(): boolean {
    return this.known.size === 0;
  }

  /** Whether it tells of something that was taken out. It may come twice. */
  learn(screening: Screening, offset: bigint): boolean {
    const removed = removedBy(screening);
    if (!removed.length) return false;
    const { screeningId, author, turnId, stage } = screening;
    this.known.set(screeningId, { author, turnId, offset, isAnswer: stage === FilterStage.ANSWER, removed });
    return true;
  }

  /** What was taken out of it, among `all` that was said. */
  of(said: Said, all: Iterable<Said>): Removed[] {
    const isOfIt = (cut: Cut) => (said.turnId ? isOfTurn(cut, said) : isJustBefore(cut, said) && firstBehind(cut, all) === said.offset);
    return [...this.known.values()].filter(isOfIt).flatMap(({ removed }) => removed);
  }

  /** Forget all of it. */
  clear(): void {
    this.known.clear();
  }
}

/** Who took something out, and what kind of thing it was. */
export function removedBy({ action, refused, verdicts }: Screening): Removed[] {
  if (action !== FilterAction.SANITISE || refused) return [];
  return verdicts.filter((each) => each.action === FilterAction.SANITISE).map(({ filter, categories }) => ({ filter, categories }));
}

function isOfTurn(cut: Cut, { turnId, role }: Said): boolean {
  return cut.turnId === turnId && cut.isAnswer === (role === "assistant");
}

/** Where the first of them stands that it can be of. */
function firstBehind(cut: Cut, all: Iterable<Said>): bigint {
  const found = [...all].filter((said) => !said.turnId && isJustBefore(cut, said)).map(({ offset }) => offset);
  return found.reduce((least, offset) => (offset < least ? offset : least), cut.offset + NEAR);
}

/** What belongs to no turn is known by who said it, by its place, and by what stands in the place of what was cut out. */
function isJustBefore(cut: Cut, { author, offset, text }: Said): boolean {
  const isNear = cut.offset < offset && offset - cut.offset <= NEAR;
  const isMarked = cut.removed.some(({ categories }) => categories.some((each) => text.includes(`[${each}]`)));
  return !cut.turnId && cut.author === author && isNear && isMarked;
}
