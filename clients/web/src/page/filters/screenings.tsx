// What filters had to say of late.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { FilterStage, type Screening } from "../../gen/antiphon/context/v1/filter_pb";
import type { Desk } from "../desk";
import { More, type Paged } from "../paging";
import { State, Table } from "../table";
import { visible } from "../visible";
import { moment } from "../words";
import { became, saidBy } from "./words";

const FIRST = 10;
const WHAT: Partial<Record<FilterStage, string>> = {
  [FilterStage.MESSAGE]: "message",
  [FilterStage.TOOL_RESULT]: "tool result",
  [FilterStage.ANSWER]: "answer",
};

/** Whose words they were and what became of them; never the words. */
export function Screenings(props: {
  desk: Desk;
  parent: string;
  screenings: Paged<Screening>;
}): JSX.Element {
  const { desk, parent } = props;
  const { value, error, more } = props.screenings;
  const [isWhole, setWhole] = useState(false);
  return (
    <section>
      <h2>What they said of late</h2>
      <Table
        label="Screenings"
        isStacked
        rows={isWhole ? value : value?.slice(0, FIRST)}
        error={error}
        keyOf={(each) => each.screeningId}
        empty="Nothing: no filter has found anything."
        columns={[
          { name: "became", cell: (each) => <State name={became(each)} /> },
          { name: "filters", cell: (each) => <Said screening={each} /> },
          { name: "by", cell: (each) => visible(desk.names.of(each.author, [each.conversationId, parent].filter(Boolean))) },
          { name: "what", cell: (each) => <What screening={each} /> },
          { name: "when", cell: (each) => each.createTime && moment(timestampMs(each.createTime)) },
        ]}
      />
      <More more={!isWhole && (value?.length ?? 0) > FIRST ? () => setWhole(true) : more} />
    </section>
  );
}

function Said({ screening }: { screening: Screening }): JSX.Element {
  return (
    <>
      {screening.verdicts.map((each) => (
        <span key={`${each.parent} ${each.filter}`} class="title">
          {visible(each.filter)}: {saidBy(each)}
        </span>
      ))}
    </>
  );
}

/** What it was, which leads to where it was said; the title of a conversation is said before that is there. */
function What({ screening: { stage, conversationId } }: { screening: Screening }): JSX.Element {
  const what = WHAT[stage] ?? "something";
  return conversationId ? <a href={`/#/c/${conversationId}`}>{what}</a> : <>{stage === FilterStage.MESSAGE ? "title" : what}</>;
}
