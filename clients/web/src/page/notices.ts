// What the operators tell everybody.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Changing, type Session, type Watching } from "../antiphon";
import type { Notice } from "../gen/antiphon/context/v1/notice_pb";
import { type Event, EventKind } from "../gen/antiphon/events/v1/event_pb";

const KEY = "antiphon.notices.read";
const MOST_REMEMBERED = 100;
const LONGEST_TIMER_MS = 86_400_000;

/** Notices that are in force, and that one has not put away. */
export class Notices extends Changing {
  private known = new Map<string, Notice>();
  private readonly read = new Set<string>(kept());
  private watching: Watching | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly session: Session) {
    super();
  }

  /** The newest first. */
  get shown(): Notice[] {
    return [...this.known.values()]
      .filter((notice) => !this.read.has(notice.noticeId) && endOf(notice) > Date.now())
      .sort((a, b) => begunAt(b) - begunAt(a));
  }

  /** Read them, and follow what comes. */
  start(): void {
    const kinds = [EventKind.NOTICE_PUBLISHED, EventKind.NOTICE_WITHDRAWN];
    this.watching = this.session.follower.watch(
      "global",
      {
        events: (events) => this.take(events),
        created: () => void this.load(),
        lost: (error) => error.variables["earliest_cursor"] ?? "",
      },
      { kinds },
    );
  }

  /** Follow no more. */
  close(): void {
    clearTimeout(this.timer);
    this.watching?.close();
  }

  /** One has read it. */
  putAway(notice: Notice): void {
    this.read.add(notice.noticeId);
    localStorage.setItem(KEY, JSON.stringify([...this.read].slice(-MOST_REMEMBERED)));
    this.changed();
  }

  private async load(): Promise<void> {
    try {
      const before = new Set(this.known.values());
      const { notices } = await this.session.stubs.notices.listNotices({});
      // What events told meanwhile is newer than the list.
      const told = [...this.known].filter(([, notice]) => !before.has(notice));
      this.known = new Map([...notices.map((each) => [each.noticeId, each] as const), ...told]);
      this.draw();
    } catch {
      // they come with the next connection
    }
  }

  private take(events: Event[]): void {
    for (const { payload } of events) {
      const isOne = payload.case === "noticePublished" || payload.case === "noticeWithdrawn";
      if (isOne && payload.value.notice) this.known.set(payload.value.notice.noticeId, payload.value.notice);
    }
    this.draw();
  }

  /** Now, and again when the next one is over. */
  private draw(): void {
    this.changed();
    clearTimeout(this.timer);
    const next = Math.min(...this.shown.map(endOf)) - Date.now();
    if (Number.isFinite(next)) this.timer = setTimeout(() => this.draw(), Math.min(next + 50, LONGEST_TIMER_MS));
  }
}

function begunAt({ publishTime }: Notice): number {
  return publishTime ? timestampMs(publishTime) : 0;
}

function endOf({ expireTime, withdrawTime }: Notice): number {
  if (withdrawTime) return 0;
  return expireTime ? timestampMs(expireTime) : Infinity;
}

function kept(): string[] {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]");
  } catch {
    return [];
  }
}
