// A window: making a detector, or changing one. It holds when all of them are set.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { milliseconds } from "../../antiphon";
import { AnomalySubject, type Detector, FlagEffect } from "../../gen/antiphon/context/v1/anomaly_pb";
import { Choice, Dialog } from "../parts";
import { EFFECT_S, FIGURES, PER_MINUTE, WINDOWS_S, figureOf } from "./figures";
import { detectorOf } from "./form";
import { DOES, KINDS, type Kind, SUBJECTS } from "./words";

const MOST_INT = 2_147_483_647;
const DAY_S = 86_400;

/** Asks what it watches, of whom, from when on it flags, and what then. */
export function DetectorDialog(props: {
  detector: Detector | undefined;
  onPut: (detector: Detector) => void;
  onClose: () => void;
}): JSX.Element {
  const { detector } = props;
  const [kind, setKind] = useState<Kind>(detector?.kind.case ?? "rate");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    props.onPut(detectorOf(new FormData(event.currentTarget as HTMLFormElement), detector));
    props.onClose();
  };
  return (
    <Dialog title={detector ? `Change ${detector.name}` : "New detector"} onClose={props.onClose}>
      <form onSubmit={submit}>
        {!detector && (
          <label>
            Name
            <input name="name" required maxLength={64} pattern="[a-z][a-z0-9\-]*" title="Small letters, digits and -" autofocus autocomplete="off" />
          </label>
        )}
        <Choice name="kind" label="Watches" options={KINDS} value={kind} onChange={(value) => setKind(value as Kind)} />
        <Choice name="subject" label="Of" options={subjectsOf(kind)} value={detector?.subject || AnomalySubject.USER} />
        <p class="quiet">What is left empty is as it says there.</p>
        <OfKind key={kind} kind={kind} detector={detector} />
        <Then detector={detector} />
        <button type="submit" class="primary">
          {detector ? "Change it" : "Add it"}
        </button>
      </form>
    </Dialog>
  );
}

/** From when on it flags. */
function OfKind({ kind, detector }: { kind: Kind; detector: Detector | undefined }): JSX.Element {
  const isAsBefore = detector?.kind.case === kind;
  const seconds = isAsBefore ? (milliseconds(detector.window) ?? 0) / 1000 : 0;
  return (
    <>
      <Amount name="window" label="So many seconds of the past count" usual={WINDOWS_S[kind]} min={10} max={DAY_S} isFraction value={seconds} />
      {FIGURES[kind].map((each) => (
        <Amount key={each.name} min={0} max={each.isLong ? Number.MAX_SAFE_INTEGER : MOST_INT} {...each} value={isAsBefore ? figureOf(detector, each.name) : 0} />
      ))}
      <Amount name="threshold" label="Flagged from this score on, of at most 1" usual={1} min={0} max={1} isFraction value={detector?.threshold ?? 0} />
    </>
  );
}

/** What a flag does. */
function Then({ detector }: { detector: Detector | undefined }): JSX.Element {
  const [effect, setEffect] = useState<FlagEffect>(detector?.effect || FlagEffect.NONE);
  const seconds = (milliseconds(detector?.effectDuration) ?? 0) / 1000;
  const perMinute = detector?.throttlePerMinute ?? 0;
  return (
    <>
      <Choice name="effect" label="Who is flagged is shown here, and then" options={DOES} value={effect} onChange={(value) => setEffect(Number(value))} />
      {effect !== FlagEffect.NONE && (
        <Amount name="duration" label="For so many seconds behind the last time" usual={EFFECT_S} min={10} max={30 * DAY_S} isFraction value={seconds} />
      )}
      {effect === FlagEffect.THROTTLE && (
        <Amount name="perMinute" label="So many messages are still taken in a minute" usual={PER_MINUTE} min={1} max={1000} value={perMinute} />
      )}
    </>
  );
}

/** Nobody signs in as a conversation, and calls of models have no session. */
function subjectsOf(kind: Kind): Partial<Record<AnomalySubject, string>> {
  const { [AnomalySubject.SESSION]: _, ...ofCost } = SUBJECTS;
  if (kind === "newPlace") return { [AnomalySubject.USER]: SUBJECTS[AnomalySubject.USER]! };
  return kind === "cost" ? ofCost : SUBJECTS;
}

function Amount(props: { name: string; label: string; usual: number; min: number; max: number; isFraction?: boolean; value: number }): JSX.Element {
  const { name, label, usual, min, max, isFraction = false, value } = props;
  return (
    <label>
      {label}
      <input name={name} type="number" min={min} max={max} step={isFraction ? "any" : 1} placeholder={`${usual}`} defaultValue={value ? `${value}` : ""} />
    </label>
  );
}
