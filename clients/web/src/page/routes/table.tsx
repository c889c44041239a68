// The rules by which messages find handlers.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import type { Routes } from "../../gen/antiphon/dispatcher/v1/route_pb";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { Table } from "../table";
import { visible } from "../visible";
import { moment } from "../words";
import { goalOf, matchesOf } from "./words";

const AGAIN_MS = 5_000;
const EMPTY = "There are none: antiphon routes set FILE sets some.";

/** Those of a parent in the order in which they are tried, and who set them. */
export function RoutesTable({ desk, parent }: { desk: Desk; parent: string }): JSX.Element {
  const { value, error } = useLoaded(() => readRoutes(desk, parent), [parent], AGAIN_MS);
  return (
    <>
      <Table
        label="Routes"
        isStacked
        rows={value?.rules.toSorted((a, b) => b.priority - a.priority)}
        error={error}
        keyOf={(rule) => rule.name}
        empty={EMPTY}
        columns={[
          { name: "rule", cell: (rule) => rule.name },
          { name: "matches", cell: (rule) => <Lines lines={matchesOf(rule.match)} /> },
          { name: "goes to", cell: (rule) => <span class="title">{visible(goalOf(rule))}</span> },
          { name: "else", cell: (rule) => rule.fallback || <span class="quiet">next rule</span> },
          { name: "priority", cell: (rule) => rule.priority, isNumber: true },
        ]}
      />
      {value && value.revision > 0n && <Newest desk={desk} routes={value} />}
    </>
  );
}

function Lines({ lines }: { lines: string[] }): JSX.Element {
  return (
    <>
      {lines.map((line) => (
        <span key={line} class="title">
          {visible(line)}
        </span>
      ))}
    </>
  );
}

/** Which revision they are, by whom and when, and why. */
function Newest({ desk, routes }: { desk: Desk; routes: Routes }): JSX.Element {
  const { revision, creator, createTime, comment } = routes;
  return (
    <p class="quiet">
      Revision {revision.toLocaleString()}, set by {visible(desk.nameOf(creator))}
      {createTime && `, ${moment(timestampMs(createTime))}`}
      {comment && `: ${visible(comment)}`}
    </p>
  );
}

/** Those of a parent as they are. */
export async function readRoutes(desk: Desk, parent: string): Promise<Routes> {
  const { routes } = await desk.session.stubs.routes.getRoutes({ parent });
  return routes!;
}
