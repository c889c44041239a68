// How much of one message is set as formulas and coloured as code: who writes to us decides what is
// drawn here. What is beyond is shown as it was written.

import { createContext } from "preact";

/** Of one formula: a table of a few hundred characters may have some 90,000 cells. */
export const MOST_ELEMENTS = 4_000;
const MOST_OF_ALL = 20_000;
const LONGEST_COLOURING_MS = 300;

/** What a message may still take. */
export class Allowance {
  private elements = MOST_OF_ALL;
  private colouringMs = LONGEST_COLOURING_MS;

  /** Whether there is room for any formula: to read one costs too. */
  get hasRoom(): boolean {
    return this.elements > 0;
  }

  /** Take a formula's elements; false, and nothing left, if there are more than there is room for. */
  take(elements: number): boolean {
    this.elements -= elements;
    return elements <= MOST_ELEMENTS && this.elements >= 0;
  }

  /** Run what colours code; nothing if that has taken its time. */
  timed<Result>(run: () => Result): Result | undefined {
    if (this.colouringMs <= 0) return undefined;
    const began = performance.now();
    const result = run();
    this.colouringMs -= performance.now() - began;
    return result;
  }
}

/** The message's that is drawn. */
export const MessageAllowance = createContext(new Allowance());
