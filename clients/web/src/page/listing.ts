// A list of conversations, that in which something was said last first.

import { clone } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Session } from "../antiphon";
import { ConversationOrder } from "../gen/antiphon/context/v1/context_service_pb";
import { type Conversation, ConversationSchema } from "../gen/antiphon/context/v1/conversation_pb";

const PAGE = 50;
const MOST_EMPTY_PAGES = 20;

/** Which conversations: those in use, unless it says otherwise. */
export interface Filter {
  workspaceId?: string;
  showArchived?: boolean;
  onlyArchived?: boolean;
  titleContains?: string;
}

/** What was read of one list, kept in order. Reading throws AntiphonErrors. */
export class Listing {
  conversations: Conversation[] = [];
  hasMore = false;
  private nextPage = "";

  constructor(
    private readonly context: Session["stubs"]["context"],
    private readonly filter: Filter = {},
  ) {}

  /** Read the first page again. What was read beyond it stays; what left it belongs here no more. */
  async refresh(): Promise<void> {
    const before = this.conversations;
    const page = await this.read("");
    // What events told meanwhile is newer than the page.
    const told = this.conversations.filter((each) => !before.includes(each));
    const gone = new Set(before.filter((each) => !this.find(each.conversationId)).map((each) => each.conversationId));
    const known = new Set(page.conversations.map((each) => each.conversationId));
    const oldest = page.conversations.at(-1);
    const kept = this.conversations.filter(
      (each) => !known.has(each.conversationId) && oldest && activityOf(each) < activityOf(oldest),
    );
    this.conversations = [...page.conversations.filter((each) => !gone.has(each.conversationId)), ...kept];
    for (const each of told) this.put(each);
    if (!kept.length) this.turnTo(page.nextPageToken);
  }

  /** Read the next page. */
  async more(): Promise<void> {
    const page = await this.read(this.nextPage);
    for (const each of page.conversations) this.put(each);
    this.turnTo(page.nextPageToken);
  }

  /** Take one in as it is now, in its place. */
  put(conversation: Conversation): void {
    const known = this.find(conversation.conversationId);
    // Events don't tell of activity: the later of what is known counts.
    const later = known && activityOf(known) > activityOf(conversation) ? moved(conversation, activityOf(known)) : conversation;
    const others = this.conversations.filter((each) => each !== known);
    this.conversations = [...others, later].sort((a, b) => activityOf(b) - activityOf(a));
  }

  /** Something was said there. */
  touch(conversationId: string, ms: number): boolean {
    const known = this.find(conversationId);
    if (!known || activityOf(known) >= ms) return false;
    this.put(moved(known, ms));
    return true;
  }

  /** One does not belong here any more. */
  remove(conversationId: string): void {
    this.conversations = this.conversations.filter((each) => each.conversationId !== conversationId);
  }

  /** One of those that were read. */
  find(conversationId: string): Conversation | undefined {
    return this.conversations.find((each) => each.conversationId === conversationId);
  }

  /** A page with something in it, if there is one: pages of what is looked for may be empty. */
  private async read(pageToken: string) {
    const order = ConversationOrder.LAST_ACTIVITY;
    let page = await this.context.listConversations({ ...this.filter, order, pageSize: PAGE, pageToken });
    for (let empty = 0; empty < MOST_EMPTY_PAGES && !page.conversations.length && page.nextPageToken; empty += 1) {
      const next = page.nextPageToken;
      page = await this.context.listConversations({ ...this.filter, order, pageSize: PAGE, pageToken: next });
    }
    return page;
  }

  private turnTo(nextPage: string): void {
    this.nextPage = nextPage;
    this.hasMore = nextPage !== "";
  }
}

/** When something was last said in it, or when it was made, in milliseconds. */
export function activityOf({ lastActivityTime, createTime }: Conversation): number {
  const time = lastActivityTime ?? createTime;
  return time ? timestampMs(time) : 0;
}

function moved(conversation: Conversation, ms: number): Conversation {
  return Object.assign(clone(ConversationSchema, conversation), { lastActivityTime: timestampFromMs(ms) });
}
