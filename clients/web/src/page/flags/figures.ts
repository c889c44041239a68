// What detectors may be told in numbers; what is not said is as usual.

import type { Detector } from "../../gen/antiphon/context/v1/anomaly_pb";
import type { Kind } from "./words";

/** A field of a kind. */
export interface Figure {
  name: string;
  label: string;
  /** What 0 stands for. */
  usual: number;
  /** What it counts, where reaching it is what flags. */
  unit?: string;
  max?: number;
  isFraction?: boolean;
  /** As bigint in messages. */
  isLong?: boolean;
}

const TIMES: Figure = { name: "times", label: "So many times what is usual for one is too much", usual: 8, isFraction: true };
const OWN_PAST = "From so many on, one is compared with one's own past";

/** Those of each kind, first the one that flags. */
export const FIGURES: Record<Kind, Figure[]> = {
  rate: [
    { name: "most", label: "So many messages are too many for anybody", usual: 60, unit: "messages" },
    TIMES,
    { name: "least", label: OWN_PAST, usual: 20 },
  ],
  repetition: [
    { name: "most", label: "So often the same is too often", usual: 10, unit: "times" },
    { name: "leastBytes", label: "Texts count from so many bytes on", usual: 16 },
  ],
  verdicts: [{ name: "most", label: "So many verdicts are too many; what is refused counts twice", usual: 5, unit: "verdicts" }],
  cost: [
    { name: "mostTokens", label: "So many tokens are too many for anybody", usual: 1_000_000, unit: "tokens", isLong: true },
    TIMES,
    { name: "leastTokens", label: OWN_PAST, usual: 50_000, isLong: true },
  ],
  newPlace: [],
  oddHours: [
    { name: "usual", label: "So large a share of all is ordinary", usual: 0.02, max: 1, isFraction: true },
    { name: "leastHours", label: "One is judged from so many hours on", usual: 40 },
  ],
};

/** How much of the past counts. */
export const WINDOWS_S: Record<Kind, number> = { rate: 60, repetition: 300, verdicts: 600, cost: 600, newPlace: 3600, oddHours: 3600 };
/** How long a flag does something. */
export const EFFECT_S = 600;
/** How much is still taken of who is throttled. */
export const PER_MINUTE = 2;

/** What a detector is told; 0 where it is told nothing. */
export function figureOf({ kind }: Pick<Detector, "kind">, name: string): number {
  return Number((kind.value as Record<string, unknown> | undefined)?.[name] ?? 0);
}
