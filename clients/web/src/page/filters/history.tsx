// What the filters of a parent were.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Filters } from "../../gen/antiphon/context/v1/filter_pb";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { Notice } from "../parts";
import { Table } from "../table";
import { visible } from "../visible";
import { moment, sentenceOf } from "../words";
import { readFilters, readRevisions } from "./reading";

const FIRST = 5;

/** Which revision they are, by whom and when, and why. */
export function Newest({ desk, parent, filters }: { desk: Desk; parent: string; filters: Filters }): JSX.Element {
  const { revision, creator, createTime, comment } = filters;
  return (
    <p class="quiet">
      Revision {revision.toLocaleString()}, set by {visible(desk.names.of(creator, [parent]))}
      {createTime && `, ${moment(timestampMs(createTime))}`}
      {comment && `: ${visible(comment)}`}
    </p>
  );
}

/** All revisions that are kept; one of before is taken as a change of what there is, to be tried and set. */
export function History(props: { desk: Desk; parent: string; revision: bigint; onTake: (then: Filters) => void }): JSX.Element {
  const { desk, parent, revision } = props;
  const { value, error } = useLoaded(() => readRevisions(desk, parent), [parent, revision]);
  const [isWhole, setWhole] = useState(false);
  const [failure, setFailure] = useState("");
  const take = async (then: Filters) => {
    try {
      props.onTake(await readFilters(desk, parent, then.revision));
      setFailure("");
      document.querySelector(".usage, .view")?.scrollTo({ top: 0 });
    } catch (thrown) {
      setFailure(sentenceOf(thrown));
    }
  };
  return (
    <section>
      <h2>History</h2>
      {failure && <Notice text={failure} />}
      <Table
        label="History"
        isStacked
        rows={isWhole ? value : value?.slice(0, FIRST)}
        error={error}
        keyOf={(each) => `${each.revision}`}
        columns={[
          { name: "revision", cell: (each) => each.revision.toLocaleString() },
          { name: "why", cell: (each) => <span class="title">{visible(each.comment)}</span> },
          { name: "by", cell: (each) => visible(desk.names.of(each.creator, [parent])) },
          { name: "when", cell: (each) => each.createTime && moment(timestampMs(each.createTime)) },
          { name: "", cell: (each) => (each.revision === revision ? "now" : <Take then={each} onTake={take} />) },
        ]}
      />
      {!isWhole && (value?.length ?? 0) > FIRST && (
        <button type="button" class="link" onClick={() => setWhole(true)}>
          Older ones
        </button>
      )}
    </section>
  );
}

function Take({ then, onTake }: { then: Filters; onTake: (then: Filters) => Promise<void> }): JSX.Element {
  return (
    <button type="button" class="small" aria-label={`Take revision ${then.revision} again`} onClick={() => void onTake(then)}>
      Take again
    </button>
  );
}
