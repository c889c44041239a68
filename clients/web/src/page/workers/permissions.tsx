// Whose workers may serve which handlers.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { listed } from "../../antiphon";
import type { WorkerPermission } from "../../gen/antiphon/dispatcher/v1/worker_service_pb";
import type { Desk } from "../desk";
import { ConfirmDialog } from "../dialogs";
import { useLoaded } from "../loading";
import { Table } from "../table";
import { visible } from "../visible";
import { moment } from "../words";

const AGAIN_MS = 5_000;
const MOST = 200;

/** Who may, since when, and a way to take it back. */
export function Permissions({ desk, parent }: { desk: Desk; parent: string }): JSX.Element {
  const { value, error, reload } = useLoaded(() => readPermissions(desk, parent), [parent], AGAIN_MS);
  const [asked, ask] = useState<WorkerPermission>();
  const name = ({ userId }: WorkerPermission) => visible(desk.nameOf(`users/${userId}`));
  return (
    <>
      <Table
        label="Who may serve what"
        isStacked
        rows={value}
        error={error}
        keyOf={(each) => `${each.handler} ${each.userId}`}
        empty="Nobody's workers may serve anything: antiphon workers invite HANDLER lets one in."
        columns={[
          { name: "handler", cell: (each) => each.handler },
          { name: "whose workers", cell: (each) => <span title={each.userId}>{name(each)}</span> },
          { name: "since", cell: (each) => (each.createTime ? moment(timestampMs(each.createTime)) : "") },
          { name: "allowed by", cell: (each) => visible(desk.nameOf(each.creator)) },
          {
            name: "",
            cell: (each) => (
              <button type="button" class="small" onClick={() => ask(each)} aria-label={`Forbid: ${each.handler} by ${name(each)}`}>
                Forbid
              </button>
            ),
          },
        ]}
      />
      {asked && (
        <ConfirmDialog
          title={`Forbid ${name(asked)} to serve ${asked.handler}?`}
          text="Within a second its workers are given no more of its turns, and those that they have go on elsewhere."
          button="Forbid"
          onConfirm={async () => {
            const { handler, userId } = asked;
            await desk.session.stubs.workers.forbidWorker({ parent, handler, userId });
            reload();
          }}
          onClose={() => ask(undefined)}
        />
      )}
    </>
  );
}

/** All of a parent's. */
export function readPermissions(desk: Desk, parent: string): Promise<WorkerPermission[]> {
  return listed(
    (pageToken) => desk.session.stubs.workers.listWorkerPermissions({ parent, pageToken, pageSize: MOST }),
    (page) => page.permissions,
  );
}
