// The flags of a workspace, for its admins.

import type { JSX } from "preact";
import type { Desk } from "../desk";
import { InWorkspace } from "../in_workspace";
import { useLoaded } from "../loading";
import { Spinner } from "../parts";
import { manages } from "../usage/budgets";
import { Flags } from "./flags";

/** Those of one that can be chosen. */
export function FlagsView({ desk, workspaceId }: { desk: Desk; workspaceId: string }): JSX.Element {
  return (
    <InWorkspace desk={desk} workspaceId={workspaceId} label="Flags" empty="You are in no workspace, so nothing is flagged.">
      {(parent) => <OfWorkspace key={parent} desk={desk} parent={parent} />}
    </InWorkspace>
  );
}

function OfWorkspace({ desk, parent }: { desk: Desk; parent: string }): JSX.Element {
  const { value: isManaged } = useLoaded(() => manages(desk, parent), [parent]);
  if (isManaged === undefined) return <Spinner label="Loading" />;
  if (!isManaged) return <p class="empty">Flags are for the admins of this workspace.</p>;
  return (
    <>
      <p class="quiet">Who or what this workspace's detectors have found out of the ordinary, by figures alone: no text is kept for it.</p>
      <Flags desk={desk} parent={parent} />
    </>
  );
}
