// What turns took whose models had not said so when they ended.

import { TurnState } from "../gen/antiphon/events/v1/event_pb";
import { AttemptOutcome, type ModelCall } from "../gen/antiphon/integration/v1/model_pb";
import type { Stubs } from "./channel";
import type { TurnView } from "./turn";

const MOST_ASKED = 10;
const MOST_CALLS = 200;
const SETTLED_MS = 700;
const SETTLING_TRIES = 4;

/** Who is asked: the ledger of the conversation's workspace, as long as one looks. */
export interface Asking {
  /** Where the conversation is; undefined while that is not known, or not to be asked. */
  place(): Promise<{ workspaceId: string; conversationId: string } | undefined>;
  changed(): void;
}

/** Figures that the ledger alone knows. */
export class Costs {
  constructor(
    private readonly stubs: Stubs,
    private readonly asking: Asking,
  ) {}

  /** Ask for those of turns that ended before one looked: the first few of them. */
  learnOf(turns: TurnView[]): void {
    for (const turn of turns.filter(lacksUsage).slice(0, MOST_ASKED)) void this.learn(turn);
  }

  /** A turn has just ended: its calls are settled a moment later. */
  learnSoon(turn: TurnView): void {
    if (lacksUsage(turn)) setTimeout(() => void this.learn(turn), SETTLED_MS);
  }

  /**
   * A turn that was stopped before its model had reported: the ledger knows what it took, as soon
   * as all its calls are settled. Until then it has what they ask, and not what they answered.
   */
  private async learn(turn: TurnView, tries = SETTLING_TRIES): Promise<void> {
    try {
      const place = await this.asking.place();
      if (!place) return;
      const request = { ...place, turnId: turn.turnId, pageSize: MOST_CALLS };
      const { calls, total } = await this.stubs.integration.getUsage(request);
      if (calls.length && calls.every(isSettled)) {
        turn.usage = total;
        turn.revision += 1;
        this.asking.changed();
      } else if (tries > 1) {
        setTimeout(() => void this.learn(turn, tries - 1), SETTLED_MS);
      }
    } catch {
      // a figure less
    }
  }
}

function lacksUsage(turn: TurnView): boolean {
  return turn.isDone && turn.state !== TurnState.SUCCEEDED && !turn.usage;
}

/** Whether its figures are known; those of a call that runs, or whose server died, are not. */
function isSettled({ outcome }: ModelCall): boolean {
  return outcome !== AttemptOutcome.UNKNOWN && outcome !== AttemptOutcome.UNSPECIFIED;
}
