// What people are called in a queue.

import type { QueuedHandoff } from "../../gen/antiphon/dispatcher/v1/handoff_pb";
import type { Desk } from "../desk";

/** What somebody is called where it waits. */
export function nameIn(desk: Desk, parent: string, queued: QueuedHandoff, actor: string): string {
  return queued.displayNames[actor] || desk.names.of(actor, [queued.conversationId, parent]);
}
