// The way to what waits for people, and how much that is.

import type { ComponentChildren, JSX } from "preact";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";

const AGAIN_MS = 15_000;
const PAGE = 200;

/** Leads to the queue; says how many things wait in all of one's workspaces. */
export function QueueLink(props: { desk: Desk; href: string; onClick?: () => void; children: ComponentChildren }): JSX.Element {
  const { desk } = props;
  const { value } = useLoaded(() => waiting(desk), [desk.workspaces.length], AGAIN_MS);
  const isSome = value !== undefined && value.count > 0;
  const told = isSome ? `${value.count.toLocaleString()}${value.isMore ? "+" : ""}` : "";
  const label = isSome ? `Queue, ${told} ${value.count === 1 ? "waits" : "wait"}` : undefined;
  return (
    <a href={props.href} onClick={props.onClick} aria-label={label}>
      {props.children}
      {isSome && <span class="tag count">{told}</span>}
    </a>
  );
}

/** What one may take in the workspaces that one is in; of each the first page. */
async function waiting(desk: Desk): Promise<{ count: number; isMore: boolean }> {
  const { handoffs } = desk.session.stubs;
  const read = desk.workspaces.map(({ workspaceId }) => handoffs.listHandoffs({ workspaceId, pageSize: PAGE }));
  const pages = (await Promise.allSettled(read)).flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  return { count: pages.reduce((sum, page) => sum + page.handoffs.length, 0), isMore: pages.some((page) => page.nextPageToken !== "") };
}
