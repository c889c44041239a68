// What rules of a parent were.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { Notice } from "../parts";
import { Table } from "../table";
import { visible } from "../visible";
import { moment, sentenceOf } from "../words";
import type { Kept, Revision } from "./rules";

const FIRST = 5;

/** Which revision they are, by whom and when, and why. */
export function Newest(props: { desk: Desk; parent: string; revision: Revision<unknown> }): JSX.Element {
  const { revision, creator, createTime, comment } = props.revision;
  return (
    <p class="quiet">
      Revision {revision.toLocaleString()}, set by {visible(props.desk.names.of(creator, [props.parent]))}
      {createTime && `, ${moment(timestampMs(createTime))}`}
      {comment && `: ${visible(comment)}`}
    </p>
  );
}

/** All revisions that are kept; one of before is taken as a change of what there is, to be tried and set. */
export function History<Rule>(props: {
  desk: Desk;
  parent: string;
  kept: Kept<Rule>;
  /** The number of the newest. */
  now: bigint;
  onTake: (then: Revision<Rule>) => void;
}): JSX.Element {
  const { desk, parent, kept, now } = props;
  const { value, error } = useLoaded(kept.revisions, [parent, now]);
  const [isWhole, setWhole] = useState(false);
  const [failure, setFailure] = useState("");
  const take = async ({ revision }: Revision<Rule>) => {
    try {
      props.onTake(await kept.read(revision));
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
          { name: "", cell: (each) => (each.revision === now ? "now" : <Take revision={each.revision} onTake={() => take(each)} />) },
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

function Take({ revision, onTake }: { revision: bigint; onTake: () => Promise<void> }): JSX.Element {
  return (
    <button type="button" class="small" aria-label={`Take revision ${revision} again`} onClick={() => void onTake()}>
      Take again
    </button>
  );
}
