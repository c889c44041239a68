// The workers that are there: programs that dial in and are given turns.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { listed } from "../../antiphon";
import type { Worker } from "../../gen/antiphon/dispatcher/v1/worker_service_pb";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { State, Table } from "../table";
import { visible } from "../visible";
import { duration, moment, took } from "../words";
import { standingOf } from "./states";

const AGAIN_MS = 2_000;
const MOST = 200;
const LATE_MS = 10_000; // they say something every few seconds
const EMPTY = "None is there: antiphon workers invite HANDLER lets one in.";

/** Those that serve handlers of a parent now, as long as somebody looks. */
export function WorkersTable({ desk, parent }: { desk: Desk; parent: string }): JSX.Element {
  const { value, error } = useLoaded(() => read(desk, parent), [parent], AGAIN_MS);
  return (
    <Table
      label="Workers"
      isStacked
      rows={value}
      error={error}
      keyOf={(worker) => worker.workerId}
      empty={EMPTY}
      columns={[
        { name: "deployment", cell: (worker) => <Named worker={worker} /> },
        { name: "state", cell: (worker) => <Standing worker={worker} /> },
        { name: "serves", cell: (worker) => <span class="title">{visible(worker.handlers.join(", "))}</span> },
        { name: "turns", cell: (worker) => `${worker.turns} of ${worker.slots}`, isNumber: true },
        { name: "since", cell: (worker) => (worker.connectTime ? moment(timestampMs(worker.connectTime)) : "") },
        { name: "last heard", cell: heard },
        { name: "accepts in", cell: (worker) => accepts(worker), isNumber: true },
        { name: "finished", cell: (worker) => worker.finishedTurns.toLocaleString(), isNumber: true },
      ]}
    />
  );
}

/** What it is one of, in which version; below it which of them, and what it speaks with. */
function Named({ worker }: { worker: Worker }): JSX.Element {
  const { deployment, version, workerId, library } = worker;
  const short = `…${workerId.slice(-6)}`;
  return (
    <>
      {visible(deployment)}
      {version && <span class="tag">{visible(version)}</span>}
      <span class="quiet below" title={visible(workerId)}>
        {[visible(short), visible(library)].filter(Boolean).join(" · ")}
      </span>
    </>
  );
}

/** What it is given now, and why nothing. */
function Standing({ worker }: { worker: Worker }): JSX.Element {
  const [name, meaning] = standingOf(worker);
  return (
    <>
      <State name={name} />
      {meaning && <span class="quiet title">{meaning}</span>}
    </>
  );
}

function heard({ heartbeatTime }: Worker): JSX.Element | string {
  if (!heartbeatTime) return "";
  const agoMs = Date.now() - timestampMs(heartbeatTime);
  // The clocks of two machines differ, and what is usual says little.
  return agoMs < LATE_MS ? "just now" : `${duration(agoMs)} ago`;
}

function accepts({ acceptP50Ms }: Worker): string {
  if (!acceptP50Ms) return "";
  return acceptP50Ms < 100 ? `${acceptP50Ms.toFixed(1)} ms` : took(Math.round(acceptP50Ms));
}

function read(desk: Desk, parent: string): Promise<Worker[]> {
  return listed(
    (pageToken) => desk.session.stubs.workers.listWorkers({ parent, pageToken, pageSize: MOST }),
    (page) => page.workers,
    1_000,
  );
}
