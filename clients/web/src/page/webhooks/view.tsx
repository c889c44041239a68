// Webhooks: one's own, and a workspace's for its admins.

import type { JSX } from "preact";
import type { Desk } from "../desk";
import { InWorkspace } from "../in_workspace";
import { useLoaded } from "../loading";
import { Spinner } from "../parts";
import { manages } from "../usage/budgets";
import { Webhooks } from "./webhooks";

const OWN: [string, string] = ["", "Your own"];

/** One's own first: they need no workspace. */
export function WebhooksView({ desk }: { desk: Desk }): JSX.Element {
  return (
    <InWorkspace desk={desk} workspaceId="" label="Webhooks" empty="" more={[OWN]}>
      {(parent) => (parent ? <OfWorkspace key={parent} desk={desk} parent={parent} /> : <Own desk={desk} />)}
    </InWorkspace>
  );
}

function Own({ desk }: { desk: Desk }): JSX.Element {
  return (
    <>
      <p class="quiet">Addresses that are told, by HTTP, when answers that you asked for have ended or wait for people.</p>
      <Webhooks desk={desk} workspaceId="" />
    </>
  );
}

function OfWorkspace({ desk, parent }: { desk: Desk; parent: string }): JSX.Element {
  const { value: isManaged } = useLoaded(() => manages(desk, parent), [parent]);
  if (isManaged === undefined) return <Spinner label="Loading" />;
  if (!isManaged) return <p class="empty">The webhooks of this workspace are for its admins.</p>;
  return (
    <>
      <p class="quiet">Addresses that are told, by HTTP, when any answer in this workspace has ended or waits for people.</p>
      <Webhooks desk={desk} workspaceId={parent} />
    </>
  );
}
