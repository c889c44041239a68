// What detectors have flagged.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Flag } from "../../gen/antiphon/context/v1/anomaly_pb";
import type { Desk } from "../desk";
import { More, usePaged } from "../paging";
import { State, Table } from "../table";
import { useNow } from "../use";
import { visible } from "../visible";
import { moment } from "../words";
import { ClearDialog } from "./clear";
import { Detectors } from "./detectors";
import { Subject, named } from "./subject";
import { figuresOf, kindOf, rounded, standing } from "./words";

const AGAIN_MS = 3_000;
const FIRST = 20; // who raises them stands below

/** Those that changed last first, and what may be done about each; below them who raises flags. */
export function Flags({ desk, parent }: { desk: Desk; parent: string }): JSX.Element {
  const [isAll, setAll] = useState(false);
  const [clearing, clear] = useState<Flag>();
  const now = useNow(1_000);
  const { anomalies } = desk.session.stubs;
  const read = (page: object) => anomalies.listFlags({ parent, cleared: isAll, ...page });
  const { value, error, reload, more } = usePaged(read, (page) => page.flags, [parent, isAll], AGAIN_MS, FIRST);
  return (
    <>
      <section>
        <div class="bar">
          <h2 class="grow">Flags</h2>
          <label class="check">
            <input type="checkbox" checked={isAll} onChange={() => setAll(!isAll)} /> cleared ones, too
          </label>
        </div>
        <Table
          label="What is flagged"
          isStacked
          rows={value}
          error={error}
          keyOf={({ flagId }) => flagId}
          empty="Nothing is out of the ordinary."
          columns={[
            { name: "who", cell: (each) => <Subject desk={desk} parent={parent} flag={each} /> },
            { name: "stands", cell: (each) => <Standing desk={desk} parent={parent} flag={each} now={now} /> },
            { name: "why", cell: (each) => <Why flag={each} /> },
            { name: "when", cell: (each) => <When flag={each} /> },
            { name: "", cell: (each) => !each.clearTime && <Clear label={named(desk, parent, each)} onClick={() => clear(each)} /> },
          ]}
        />
        <More more={more} />
        {clearing && (
          <ClearDialog
            desk={desk}
            parent={parent}
            flag={clearing}
            label={named(desk, parent, clearing)}
            onCleared={reload}
            onClose={() => clear(undefined)}
          />
        )}
      </section>
      <Detectors desk={desk} parent={parent} />
    </>
  );
}

function Standing({ desk, parent, flag, now }: { desk: Desk; parent: string; flag: Flag; now: number }): JSX.Element {
  const [name, more] = standing(flag, now);
  const { clearTime, clearedBy, clearReason } = flag;
  return (
    <>
      <State name={name} />
      <span class="quiet title">{more}</span>
      {clearTime && (
        <span class="quiet title">
          by {visible(desk.names.of(clearedBy, [parent]))}: {visible(clearReason)}
        </span>
      )}
    </>
  );
}

/** Which detector, and what it has counted. */
function Why({ flag }: { flag: Flag }): JSX.Element {
  return (
    <>
      {visible(flag.detector)}
      <span class="quiet title">
        {kindOf(flag.kind)}, score {rounded(flag.score)}
      </span>
      <span class="title">{figuresOf(flag).join(", ")}</span>
    </>
  );
}

function When({ flag: { firstTime, lastTime, count } }: { flag: Flag }): JSX.Element {
  const times = count === 1n ? "once" : `${count.toLocaleString()} times`;
  return (
    <>
      {lastTime && moment(timestampMs(lastTime))}
      <span class="quiet title">
        {times}
        {count > 1n && firstTime && ` since ${moment(timestampMs(firstTime))}`}
      </span>
    </>
  );
}

function Clear({ label, onClick }: { label: string; onClick: () => void }): JSX.Element {
  return (
    <button type="button" class="small" aria-label={`Clear: ${label}`} onClick={onClick}>
      Clear
    </button>
  );
}
