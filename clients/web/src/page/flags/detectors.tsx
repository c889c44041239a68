// Who raises flags, and changing that.

import type { JSX } from "preact";
import { listed } from "../../antiphon";
import type { Detector, Detectors as Set } from "../../gen/antiphon/context/v1/anomaly_pb";
import type { Desk } from "../desk";
import { IconButton } from "../parts";
import { type Kept, type Revision, Rules } from "../rules/rules";
import { State, Table } from "../table";
import { OF_ALL } from "../usage/budgets";
import { visible } from "../visible";
import { DetectorDialog } from "./dialog";
import { does, fromWhenOn, ofWhom, watches } from "./words";

const MOST_REVISIONS = 100;

/** What is watched, of whom, and what is done about what is found. */
export function Detectors({ desk, parent }: { desk: Desk; parent: string }): JSX.Element {
  return (
    <Rules
      desk={desk}
      parent={parent}
      kept={detectorsOf(desk, parent)}
      title="Detectors"
      one="detector"
      waiting="Not set yet: those of before go on watching."
      list={(detectors, error, change, edit) => (
        <Table
          label="Detectors"
          isStacked
          rows={detectors}
          error={error}
          keyOf={({ name }) => name}
          empty={parent === OF_ALL ? "There are none for all workspaces together; a workspace may have its own." : "There are none here, so nothing is watched."}
          columns={[
            { name: "detector", cell: (each) => <Named detector={each} /> },
            { name: "watches", cell: (each) => <Watches detector={each} /> },
            { name: "of", cell: (each) => ofWhom(each) },
            { name: "then", cell: (each) => <span class="title">{does(each)}</span> },
            { name: "", cell: (each) => <Ways detectors={detectors!} detector={each} onChange={change} onEdit={edit} /> },
          ]}
        />
      )}
      dialog={(detector, put, close) => <DetectorDialog detector={detector} onPut={put} onClose={close} />}
    />
  );
}

function Named({ detector: { name, disabled } }: { detector: Detector }): JSX.Element {
  return (
    <>
      <span class="title">{visible(name)}</span>
      <State name={disabled ? "disabled" : "on"} isWished={disabled} />
    </>
  );
}

function Watches({ detector }: { detector: Detector }): JSX.Element {
  return (
    <>
      <span class="title">{watches(detector)}</span>
      <span class="quiet title">{fromWhenOn(detector)}</span>
    </>
  );
}

function Ways(props: {
  detectors: Detector[];
  detector: Detector;
  onChange: (detectors: Detector[]) => void;
  onEdit: (detector: Detector) => void;
}): JSX.Element {
  const { detectors, detector, onChange } = props;
  const place = detectors.indexOf(detector);
  const name = visible(detector.name);
  const verb = detector.disabled ? "Enable" : "Disable";
  const toggled = { ...detector, disabled: !detector.disabled };
  return (
    <span class="row ways">
      <button type="button" class="small" aria-label={`${verb} ${name}`} onClick={() => onChange(detectors.with(place, toggled))}>
        {verb}
      </button>
      <IconButton name="pencil" label={`Change ${name}`} onClick={() => props.onEdit(detector)} />
      <IconButton name="close" label={`Take ${name} out`} onClick={() => onChange(detectors.toSpliced(place, 1))} />
    </span>
  );
}

function detectorsOf(desk: Desk, parent: string): Kept<Detector> {
  const { anomalies } = desk.session.stubs;
  const fetched = (pageToken: string) => anomalies.listDetectorRevisions({ parent, pageToken, pageSize: MOST_REVISIONS });
  return {
    read: async (revision) => ruled((await anomalies.getDetectors({ parent, revision })).detectors!),
    set: async (rules, comment, seen) => ruled((await anomalies.setDetectors({ parent, detectors: rules, comment, expectedRevision: seen })).detectors!),
    revisions: () => listed(fetched, (page) => page.revisions.map(ruled), MOST_REVISIONS),
  };
}

function ruled(detectors: Set): Revision<Detector> {
  return { ...detectors, rules: detectors.detectors };
}
