// What waits for people in a workspace: those who may take it see it, claim it, answer it.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { QueuedHandoff } from "../../gen/antiphon/dispatcher/v1/handoff_pb";
import type { Desk } from "../desk";
import { InWorkspace } from "../in_workspace";
import { More, usePaged } from "../paging";
import { Notice, Spinner } from "../parts";
import { useNow } from "../use";
import { visible } from "../visible";
import { duration } from "../words";
import { Item } from "./item";
import { nameIn } from "./names";

const AGAIN_MS = 15_000; // what the log tells comes at once

/** A workspace's queue; which one can be chosen. */
export function QueueView({ desk, workspaceId }: { desk: Desk; workspaceId: string }): JSX.Element {
  return (
    <InWorkspace desk={desk} workspaceId={workspaceId} label="Queue" empty="You are in no workspace, so nothing waits for you.">
      {(parent) => <Waiting key={parent} desk={desk} parent={parent} />}
    </InWorkspace>
  );
}

function Waiting({ desk, parent }: { desk: Desk; parent: string }): JSX.Element {
  const [openId, setOpen] = useState("");
  const read = (page: object) => desk.session.stubs.handoffs.listHandoffs({ workspaceId: parent, ...page });
  const { value, error, reload, more } = usePaged(read, (page) => page.handoffs, [parent], AGAIN_MS);
  useEffect(() => {
    const events = (news: { payload: { case: string | undefined } }[]) =>
      news.some(({ payload }) => payload.case === "handoffQueueChanged") && reload();
    const watching = desk.session.follower.watch(`workspaces/${parent}`, { events });
    return () => watching.close();
  }, [desk, parent]);
  return (
    <section>
      <p class="quiet">Answers that a handler or a person has left to people, and what filters hold. What has waited longest comes first.</p>
      {error && <Notice text={error} />}
      {!value && !error && <Spinner label="Loading" />}
      {value?.length === 0 && <p class="quiet">Nothing waits for you here.</p>}
      <ul class="queue">
        {value?.map((each) => {
          const { handoffId } = each.handoff!;
          const isOpen = openId === handoffId;
          return (
            <li key={handoffId}>
              <button
                type="button"
                class="queued"
                aria-expanded={isOpen}
                onClick={() => setOpen(isOpen ? "" : handoffId)}
              >
                <Summary desk={desk} parent={parent} queued={each} />
              </button>
              {isOpen && <Item desk={desk} parent={parent} queued={each} onChange={reload} />}
            </li>
          );
        })}
      </ul>
      <More more={more} />
    </section>
  );
}

/** Why it waits, what was asked, by whom and where, since when, until when, and who is at it. */
function Summary({ desk, parent, queued }: { desk: Desk; parent: string; queued: QueuedHandoff }): JSX.Element {
  const now = useNow(1_000);
  const handoff = queued.handoff!;
  const since = handoff.createTime ? now - timestampMs(handoff.createTime) : 0;
  const left = handoff.expireTime ? timestampMs(handoff.expireTime) - now : 0;
  const turn = queued.item.case === "turn" ? queued.item.value : undefined;
  const by = visible(nameIn(desk, parent, queued, turn?.creator || handoff.askedBy));
  const asked = visible(turn?.firstLine ?? "");
  return (
    <>
      <strong class="grow title" dir="auto">
        {visible(handoff.reason) || asked || `From ${by}`}
      </strong>
      {handoff.reason && asked && <span class="grow title" dir="auto">{asked}</span>}
      <span class="quiet">
        from {by}
        {queued.title && ` in ${visible(queued.title)}`} · {duration(Math.max(0, since))} ago · {duration(Math.max(0, left))} left
      </span>
      {handoff.heldFor && <span class="tag">held</span>}
      {handoff.claimedBy && (
        <span class="tag">{handoff.claimedBy === desk.session.actor ? "yours" : nameIn(desk, parent, queued, handoff.claimedBy)}</span>
      )}
    </>
  );
}
