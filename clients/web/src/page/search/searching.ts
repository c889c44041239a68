// Looking for what was said, while somebody types.

import { type AntiphonError, Changing, type Session, errorOf } from "../../antiphon";
import type { MessageHit, SearchMessagesResponse } from "../../gen/antiphon/memory/v1/search_service_pb";
import { ANYTHING, type Asked, requestOf } from "./asking";

const PAUSE_MS = 200;
const FIRST = 20;
/** More has no answer. */
const MOST = 100;
const FIRST_AGAIN_MS = 2_000;
const MOST_AGAIN_MS = 15_000;
const MOST_TRIES = 20;
const WAITS = new Set(["OVERLOADED", "RATE_LIMITED", "THROTTLED", "DRAINING"]);

/**
 * One search at a time, a moment after what is asked for has changed: the one before is cancelled.
 * It is repeated by itself while the server still reads conversations, is away or wants a pause.
 */
export class Searching extends Changing {
  /** What was found last; undefined before anything was, and where nothing is looked for. */
  found: SearchMessagesResponse | undefined;
  /** What that answers. */
  answered: Asked = ANYTHING;
  error: AntiphonError | undefined;
  isLooking = false;
  private asked: Asked = ANYTHING;
  private most = FIRST;
  private tries = 0;
  private running: AbortController | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly stub: Pick<Session["stubs"]["search"], "searchMessages">,
    private readonly pauseMs = PAUSE_MS,
    private readonly firstAgainMs = FIRST_AGAIN_MS,
  ) {
    super();
  }

  /** What was found, the best first. */
  get hits(): MessageHit[] {
    return this.found?.hits ?? [];
  }

  /** Whether there may be more, which can be asked for. */
  get hasMore(): boolean {
    return this.most < MOST && this.hits.length >= this.most;
  }

  /** Whether there may be more than are ever shown. */
  get isFull(): boolean {
    return this.hits.length >= MOST;
  }

  /** Look for something else. */
  ask(asked: Asked): void {
    this.asked = asked;
    this.most = FIRST;
    this.begin(this.pauseMs);
  }

  /** Show more of the same. */
  more(): void {
    this.most = MOST;
    this.begin(0);
  }

  /** Look again now. */
  again(): void {
    this.begin(0);
  }

  /** Look for nothing any more. */
  close(): void {
    clearTimeout(this.timer);
    this.running?.abort();
  }

  private begin(pauseMs: number): void {
    this.close();
    this.tries = 0;
    this.isLooking = this.asked.query.trim() !== "";
    if (this.isLooking) this.timer = setTimeout(() => void this.look(), pauseMs);
    else [this.found, this.error] = [undefined, undefined];
    this.changed();
  }

  private async look(): Promise<void> {
    const running = (this.running = new AbortController());
    const { asked, most } = this;
    this.isLooking = true;
    this.changed();
    let waitMs: number | undefined;
    try {
      const found = await this.stub.searchMessages(requestOf(asked, most), { signal: running.signal });
      if (running.signal.aborted) return;
      [this.found, this.answered, this.error] = [found, asked, undefined];
      if (found.pendingConversations) waitMs = 0;
    } catch (thrown) {
      if (running.signal.aborted) return;
      this.error = errorOf(thrown);
      if (this.error.isAway || WAITS.has(this.error.reason)) waitMs = this.error.retryAfterMs ?? 0;
    }
    this.isLooking = false;
    if (waitMs !== undefined) this.lookAgain(waitMs);
    this.changed();
  }

  /** In a while, each time in a longer one: not before `leastMs`, and not for ever. */
  private lookAgain(leastMs: number): void {
    if (this.tries >= MOST_TRIES) return;
    const pauseMs = Math.max(leastMs, Math.min(this.firstAgainMs * 2 ** this.tries, MOST_AGAIN_MS));
    this.tries += 1;
    this.timer = setTimeout(() => void this.look(), pauseMs);
  }
}
