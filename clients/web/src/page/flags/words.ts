// Flags and detectors in words.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { milliseconds } from "../../antiphon";
import { AnomalySubject, type Detector, type Flag, FlagEffect } from "../../gen/antiphon/context/v1/anomaly_pb";
import { visible } from "../visible";
import { duration, moment } from "../words";
import { EFFECT_S, FIGURES, PER_MINUTE, WINDOWS_S, figureOf } from "./figures";

/** What may be watched. */
export type Kind = NonNullable<Detector["kind"]["case"]>;

/** The same in words. */
export const KINDS: Record<Kind, string> = {
  rate: "how much is said",
  repetition: "the same, over and over",
  verdicts: "what filters find",
  cost: "what is spent",
  newPlace: "signing in from elsewhere",
  oddHours: "speaking at odd hours",
};
/** What figures are kept of. */
export const SUBJECTS: Partial<Record<AnomalySubject, string>> = {
  [AnomalySubject.USER]: "each person",
  [AnomalySubject.SESSION]: "each session",
  [AnomalySubject.CONVERSATION]: "each conversation",
  [AnomalySubject.WORKSPACE]: "each workspace",
};
/** What a flag may do. */
export const DOES: Partial<Record<FlagEffect, string>> = {
  [FlagEffect.NONE]: "nothing but that",
  [FlagEffect.THROTTLE]: "throttle",
  [FlagEffect.REVIEW]: "have people look",
};
const EFFECTS: Partial<Record<FlagEffect, string>> = {
  [FlagEffect.THROTTLE]: "throttled",
  [FlagEffect.REVIEW]: "to be looked at",
};

/** What a detector watches, by the field's name in the contract. */
export function kindOf(kind: string): string {
  const name = kind.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return KINDS[name as Kind] ?? visible(kind.replaceAll("_", " "));
}

/** What a detector watches. */
export function watches({ kind }: Detector): string {
  return kind.case ? KINDS[kind.case] : "something newer than this page";
}

/** What it keeps figures of. */
export function ofWhom({ subject }: Detector): string {
  return SUBJECTS[subject || AnomalySubject.USER] ?? "something newer than this page";
}

/** From when on it flags: what is too many for anybody, and in how long. */
export function fromWhenOn(detector: Detector): string {
  const { kind, window, threshold } = detector;
  if (!kind.case) return "";
  const [first] = FIGURES[kind.case];
  const most = first?.unit && `${(figureOf(detector, first.name) || first.usual).toLocaleString()} ${first.unit}`;
  const within = `within ${duration(milliseconds(window) || WINDOWS_S[kind.case] * 1000)}`;
  const score = threshold && threshold < 1 ? `; from a score of ${threshold.toLocaleString()} on` : "";
  return `${most ? `${most} ${within}` : within}${score}`;
}

/** What it does to what it flags. */
export function does({ effect, throttlePerMinute, effectDuration }: Detector): string {
  const longest = duration(milliseconds(effectDuration) || EFFECT_S * 1000);
  if (effect === FlagEffect.THROTTLE) return `throttle to ${throttlePerMinute || PER_MINUTE} a minute, for ${longest}`;
  const done = DOES[effect || FlagEffect.NONE] ?? "something newer than this page";
  return effect === FlagEffect.REVIEW ? `${done}, for ${longest}` : done;
}

/** A figure as people say it: the larger, the fewer digits. */
export function rounded(value: number): string {
  const size = Math.abs(value);
  return value.toLocaleString(undefined, { maximumFractionDigits: size >= 10 ? 0 : size >= 1 ? 1 : 2 });
}

/** What was counted: each figure by its name. */
export function figuresOf({ evidence }: Flag): string[] {
  return Object.entries(evidence)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([name, value]) => `${visible(name.replaceAll("_", " "))}: ${rounded(value)}`);
}

/** How it stands in a word or two, and what else there is to say of that. */
export function standing(flag: Flag, now: number): [string, string] {
  if (flag.clearTime) return ["cleared", moment(timestampMs(flag.clearTime))];
  const effect = EFFECTS[flag.effect];
  if (!effect) return ["open", "nothing is done about it"];
  const end = flag.effectEndTime ? timestampMs(flag.effectEndTime) : Infinity;
  if (end <= now) return ["open", `was ${effect} until ${moment(end)}`];
  const rate = flag.throttlePerMinute ? `, ${flag.throttlePerMinute} a minute` : "";
  return [effect, Number.isFinite(end) ? `until ${moment(end)}${rate}` : rate.slice(2)];
}
