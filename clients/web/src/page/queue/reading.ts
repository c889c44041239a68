// What is to be known of something that waits, from where it waits.

import type { Screening } from "../../gen/antiphon/context/v1/filter_pb";
import type { Message } from "../../gen/antiphon/context/v1/message_pb";
import type { QueuedHandoff } from "../../gen/antiphon/dispatcher/v1/handoff_pb";
import { EventKind } from "../../gen/antiphon/events/v1/event_pb";
import type { Desk } from "../desk";

const LAST = 8;
const PAGE = 200;
const MOST_PAGES = 20;

/** What was said last, the newest last; and what waits itself, however much was said since. */
export async function lastSaid(desk: Desk, { conversationId, item }: QueuedHandoff): Promise<Message[]> {
  const wanted = item.value?.messageId;
  const { context } = desk.session.stubs;
  let page = await context.listMessages({ conversationId, pageSize: LAST });
  const last = page.messages.toReversed();
  const isIt = ({ messageId }: Message) => messageId === wanted;
  for (let pages = 0; !last.some(isIt) && page.nextPageToken && pages < MOST_PAGES; pages += 1) {
    page = await context.listMessages({ conversationId, pageSize: PAGE, pageToken: page.nextPageToken });
    last.unshift(...page.messages.filter(isIt));
  }
  return last;
}

/** What filters said of what waits, as far as the log still has it. */
export async function screeningsOf(desk: Desk, { conversationId, item }: QueuedHandoff): Promise<Screening[]> {
  const scope = `conversations/${conversationId}`;
  const found: Screening[] = [];
  let cursor = "";
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const read = await desk.session.stubs.events.readEvents({ scope, cursor, kinds: [EventKind.CONTENT_SCREENED], pageSize: PAGE });
    for (const { payload } of read.events) {
      if (payload.case === "contentScreened" && payload.value.screening?.turnId === item.value?.turnId) found.push(payload.value.screening!);
    }
    cursor = read.cursor;
    if (read.atHead) break;
  }
  return found;
}
