// A detector from what its window asks for.

import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { type Duration, durationFromMs } from "@bufbuild/protobuf/wkt";
import { type AnomalySubject, type Detector, DetectorSchema, type FlagEffect } from "../../gen/antiphon/context/v1/anomaly_pb";
import { FIGURES } from "./figures";
import type { Kind } from "./words";

type KindInit = NonNullable<MessageInitShape<typeof DetectorSchema>["kind"]>;

/** What is left empty, or not asked for, is as usual. */
export function detectorOf(data: FormData, before: Detector | undefined): Detector {
  return create(DetectorSchema, {
    name: before?.name ?? `${data.get("name")}`,
    subject: numberOf(data, "subject") as AnomalySubject,
    window: secondsOf(data, "window"),
    threshold: numberOf(data, "threshold"),
    effect: numberOf(data, "effect") as FlagEffect,
    effectDuration: secondsOf(data, "duration"),
    throttlePerMinute: numberOf(data, "perMinute"),
    disabled: before?.disabled ?? false,
    kind: kindOf(`${data.get("kind")}` as Kind, data),
  });
}

function kindOf(kind: Kind, data: FormData): KindInit {
  const figures = FIGURES[kind].map(({ name, isLong }) => [name, isLong ? BigInt(numberOf(data, name)) : numberOf(data, name)]);
  return { case: kind, value: Object.fromEntries(figures) } as KindInit;
}

function numberOf(data: FormData, name: string): number {
  return Number(data.get(name) ?? 0);
}

function secondsOf(data: FormData, name: string): Duration | undefined {
  const seconds = numberOf(data, name);
  return seconds ? durationFromMs(Math.round(seconds * 1000)) : undefined;
}
