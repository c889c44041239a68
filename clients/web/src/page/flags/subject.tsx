// Whom or what a flag is about.

import type { JSX } from "preact";
import type { Flag } from "../../gen/antiphon/context/v1/anomaly_pb";
import type { Desk } from "../desk";
import { OF_ALL } from "../usage/budgets";
import { visible } from "../visible";

/** By name, where that is known; who spoke, spent or signed in then stands below what is no person. */
export function Subject({ desk, parent, flag }: { desk: Desk; parent: string; flag: Flag }): JSX.Element {
  const { subject, user } = flag;
  const name = user && visible(desk.names.of(user, [parent]));
  const isPerson = subject.startsWith("users/");
  return (
    <>
      <strong class="title" title={subject} dir="auto">
        {isPerson ? visible(desk.names.of(subject, [parent])) : <Place desk={desk} subject={subject} />}
      </strong>
      {!isPerson && name && <span class="quiet title">of {name}</span>}
      {parent === OF_ALL && flag.workspaceId && <span class="quiet title">in {workspaceOf(desk, flag.workspaceId)}</span>}
    </>
  );
}

function Place({ desk, subject }: { desk: Desk; subject: string }): JSX.Element {
  const [kind, id = ""] = subject.split("/");
  if (kind === "sessions") return <>a session</>;
  if (kind === "workspaces") return <>{workspaceOf(desk, id)}</>;
  if (kind !== "conversations") return <>{visible(subject)}</>;
  const title = desk.conversations.find((each) => each.conversationId === id)?.title;
  return <a href={`/#/c/${id}`}>{visible(title || "a conversation")}</a>;
}

function workspaceOf(desk: Desk, id: string): string {
  return visible(desk.workspaces.find((each) => each.workspaceId === id)?.displayName ?? id);
}

/** What of it is to be said to whoever can't see the table. */
export function named(desk: Desk, parent: string, { subject, detector }: Flag): string {
  const who = subject.startsWith("users/") ? desk.names.of(subject, [parent]) : subject;
  return visible(`${who}, by ${detector}`);
}
