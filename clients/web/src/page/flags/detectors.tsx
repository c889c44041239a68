// Who raises flags.

import type { JSX } from "preact";
import type { Detectors as Set } from "../../gen/antiphon/context/v1/anomaly_pb";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { State, Table } from "../table";
import { OF_ALL } from "../usage/budgets";
import { visible } from "../visible";
import { does, ofWhom, watches } from "./words";

const AGAIN_MS = 30_000;

/** What is watched, of whom, and what is done about what is found. */
export function Detectors({ desk, parent }: { desk: Desk; parent: string }): JSX.Element {
  const { value, error } = useLoaded(() => read(desk, parent), [parent], AGAIN_MS);
  return (
    <section>
      <h2>Detectors</h2>
      <Table
        label="Detectors"
        isStacked
        rows={value?.detectors}
        error={error}
        keyOf={({ name }) => name}
        empty={parent === OF_ALL ? "There are none for all workspaces together; a workspace may have its own." : "There are none here, so nothing is watched."}
        columns={[
          { name: "detector", cell: (each) => visible(each.name) },
          { name: "watches", cell: (each) => <span class="title">{watches(each)}</span> },
          { name: "of", cell: (each) => ofWhom(each) },
          { name: "then", cell: (each) => <span class="title">{does(each)}</span> },
          { name: "state", cell: (each) => <State name={each.disabled ? "disabled" : "on"} isWished={each.disabled} /> },
        ]}
      />
    </section>
  );
}

async function read(desk: Desk, parent: string): Promise<Set> {
  const { detectors } = await desk.session.stubs.anomalies.getDetectors({ parent });
  return detectors!;
}
