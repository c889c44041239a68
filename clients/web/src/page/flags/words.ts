// Flags and detectors in words.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { milliseconds } from "../../antiphon";
import { AnomalySubject, type Detector, type Flag, FlagEffect } from "../../gen/antiphon/context/v1/anomaly_pb";
import { visible } from "../visible";
import { duration, moment } from "../words";

const KINDS: Record<string, string> = {
  rate: "how much is said",
  repetition: "the same, over and over",
  verdicts: "what filters find",
  cost: "what is spent",
  new_place: "signing in from elsewhere",
  odd_hours: "speaking at odd hours",
};
const SUBJECTS: Partial<Record<AnomalySubject, string>> = {
  [AnomalySubject.SESSION]: "each session",
  [AnomalySubject.CONVERSATION]: "each conversation",
  [AnomalySubject.WORKSPACE]: "each workspace",
};
const MOST_DIGITS = 2;
const EFFECTS: Partial<Record<FlagEffect, string>> = {
  [FlagEffect.THROTTLE]: "throttled",
  [FlagEffect.REVIEW]: "to be looked at",
};

/** What a detector watches, by the field's name in it. */
export function kindOf(kind: string): string {
  return KINDS[kind] ?? visible(kind.replaceAll("_", " "));
}

/** What a detector watches. */
export function watches({ kind }: Detector): string {
  return kind.case ? kindOf(kind.case.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)) : "something newer than this page";
}

/** What it keeps figures of. */
export function ofWhom({ subject }: Detector): string {
  return SUBJECTS[subject] ?? "each person";
}

/** What it does to what it flags. */
export function does({ effect, throttlePerMinute, effectDuration }: Detector): string {
  if (effect === FlagEffect.THROTTLE) {
    const longest = milliseconds(effectDuration) || 600_000;
    return `throttle to ${throttlePerMinute || 2} a minute, for ${duration(longest)}`;
  }
  return effect === FlagEffect.REVIEW ? "have people look" : "nothing but that";
}

/** What was counted: each figure by its name. */
export function figuresOf({ evidence }: Flag): string[] {
  return Object.entries(evidence)
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([name, value]) => `${visible(name.replaceAll("_", " "))}: ${value.toLocaleString(undefined, { maximumFractionDigits: MOST_DIGITS })}`);
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
