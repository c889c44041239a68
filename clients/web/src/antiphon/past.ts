// What was said before one came: messages and turns page by page, and what is under way.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Event, EventKind } from "../gen/antiphon/events/v1/event_pb";
import type { Stubs } from "./channel";
import type { Transcript } from "./transcript";
import type { TurnView } from "./turn";

const PAGE = 50;
const MOST_PAGE = 200;
const EVENTS_PAGE = 1000;
const MOST_EVENT_PAGES = 20;
const UNDER_WAY = [
  EventKind.TEXT_DELTA_APPENDED,
  EventKind.TOOL_CALL_PROPOSED,
  EventKind.TOOL_CALL_DECIDED,
  EventKind.TOOL_CALL_STARTED,
  EventKind.TOOL_CALL_QUESTION_ASKED,
  EventKind.TOOL_CALL_QUESTION_ANSWERED,
  EventKind.TOOL_CALL_FINISHED,
  EventKind.TURN_PROGRESSED,
  EventKind.TURN_ASSIGNED,
  EventKind.MEMBER_ADDED,
  EventKind.MEMBER_UPDATED,
  EventKind.CONTENT_SCREENED,
];

/** Reads a conversation backwards into a transcript. */
export class Past {
  hasOlder = false;
  private olderToken = "";
  private turnsToken = "";
  private oldestTurnMs = Infinity;

  /** `found` is told of turns that are read. */
  constructor(
    private readonly conversationId: string,
    private readonly stubs: Stubs,
    private readonly transcript: Transcript,
    private readonly found: (turns: TurnView[]) => void,
  ) {}

  /** Read the newest messages. */
  readNewest(): Promise<void> {
    return this.readPage("", PAGE);
  }

  /** Read those before what was read; as many as a page has if somebody wants to get far. */
  readOlder(isFar = false): Promise<void> {
    return this.readPage(this.olderToken, isFar ? MOST_PAGE : PAGE);
  }

  private async readPage(pageToken: string, pageSize: number): Promise<void> {
    const { conversationId, transcript } = this;
    const page = await this.stubs.context.listMessages({
      conversationId,
      pageSize,
      pageToken,
    });
    for (const message of page.messages) transcript.post(message, message.offset, message.turnId);
    this.olderToken = page.nextPageToken;
    this.hasOlder = page.nextPageToken !== "";
    const oldest = page.messages.at(-1)?.createTime;
    await this.readTurns(oldest ? timestampMs(oldest) : Infinity, pageToken === "", pageSize);
  }

  /** The turns that began since a time; messages and turns are paged apart. */
  private async readTurns(sinceMs: number, isFirst: boolean, pageSize: number): Promise<void> {
    while (isFirst || (this.turnsToken && this.oldestTurnMs >= sinceMs)) {
      const page = await this.stubs.dispatcher.listTurns({
        conversationId: this.conversationId,
        pageSize,
        pageToken: isFirst ? "" : this.turnsToken,
      });
      // They come newest first, and a turn that is new to the map goes to its end.
      for (const turn of page.turns.toReversed()) this.transcript.turnOf(turn.turnId).assign(turn);
      this.found(page.turns.map((turn) => this.transcript.turnOf(turn.turnId)));
      const oldest = page.turns.at(-1)?.createTime;
      this.oldestTurnMs = oldest ? timestampMs(oldest) : -Infinity;
      this.turnsToken = page.nextPageToken;
      isFirst = false;
    }
  }

  /**
   * Tell of the events of what is under way; returns the cursor behind them. Deltas that the log
   * still has belong to turns that run: that is how an answer is shown from its first word after a
   * reload in the middle of it.
   */
  async readWhatIsUnderWay(take: (event: Event) => void): Promise<string> {
    const scope = `conversations/${this.conversationId}`;
    let cursor = "";
    for (let page = 0; page < MOST_EVENT_PAGES; page += 1) {
      const read = await this.stubs.events.readEvents({
        scope,
        cursor,
        kinds: UNDER_WAY,
        pageSize: EVENTS_PAGE,
      });
      read.events.forEach(take);
      cursor = read.cursor;
      if (read.atHead) return cursor;
    }
    return (await this.stubs.events.getHead({ scope })).cursor;
  }
}
