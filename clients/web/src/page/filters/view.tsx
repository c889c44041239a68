// The filters of a workspace, for its admins.

import type { JSX } from "preact";
import type { Desk } from "../desk";
import { InWorkspace } from "../in_workspace";
import { useLoaded } from "../loading";
import { Spinner } from "../parts";
import { manages } from "../usage/budgets";
import { visible } from "../visible";
import { Filters } from "./filters";
import { OfInstallation } from "./installation";

/** Those of one that can be chosen. */
export function FiltersView({ desk, workspaceId }: { desk: Desk; workspaceId: string }): JSX.Element {
  return (
    <InWorkspace desk={desk} workspaceId={workspaceId} label="Filters" empty="You are in no workspace, so there is nothing to filter.">
      {(parent) => <OfWorkspace key={parent} desk={desk} parent={parent} />}
    </InWorkspace>
  );
}

function nameOf(desk: Desk, parent: string): string {
  const found = desk.workspaces.find(({ workspaceId }) => workspaceId === parent);
  return found ? `the workspace ${found.displayName}` : "this workspace";
}

function OfWorkspace({ desk, parent }: { desk: Desk; parent: string }): JSX.Element {
  const { value: isManaged } = useLoaded(() => manages(desk, parent), [parent]);
  if (isManaged === undefined) return <Spinner label="Loading" />;
  if (!isManaged) return <p class="empty">Filters are for the admins of this workspace.</p>;
  return (
    <>
      <p class="quiet">
        What people say in {visible(nameOf(desk, parent))} and tools return there is looked at by these, in this order, before anybody works on it and before it is
        stored; answers are masked as they come by those that look at them. Those of the installation look first, and can't be
        taken away.
      </p>
      <OfInstallation desk={desk} />
      <Filters desk={desk} parent={parent} />
    </>
  );
}
