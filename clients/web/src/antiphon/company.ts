// Who is here, and who is typing: what lapses by itself.

import type { Event } from "../gen/antiphon/events/v1/event_pb";
import { Changing } from "./changing";

const TYPING_MS = 10_000;
const PRESENCE_MS = 60_000;

/** The others in a conversation, from what they last said of themselves. */
export class Company extends Changing {
  private readonly present = new Map<string, number>();
  private readonly typing = new Map<string, number>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `self` is the actor who is not told of. */
  constructor(
    private readonly self: string,
    private readonly clock: () => number = Date.now,
  ) {
    super();
  }

  /** Actors who are here now. */
  get here(): string[] {
    return [...this.present.keys()];
  }

  /** Actors who are typing now. */
  get writers(): string[] {
    return [...this.typing.keys()];
  }

  /** Take in an ephemeral event, or anything that somebody said. */
  take(event: Event): void {
    const { actor, payload } = event;
    if (actor === this.self || !actor.startsWith("users/")) return;
    const now = this.clock();
    if (payload.case === "typingChanged") {
      this.note(this.typing, actor, payload.value.typing ? now + TYPING_MS : 0);
      if (payload.value.typing) this.note(this.present, actor, now + PRESENCE_MS);
    } else if (payload.case === "presenceChanged") {
      this.note(this.present, actor, payload.value.present ? now + PRESENCE_MS : 0);
      if (!payload.value.present) this.note(this.typing, actor, 0);
    } else if (payload.case === "messagePosted") {
      this.note(this.typing, actor, 0);
    }
  }

  /** Nobody is known to be here any more. */
  close(): void {
    clearTimeout(this.timer);
  }

  private note(map: Map<string, number>, actor: string, until: number): void {
    const was = map.has(actor);
    if (until) map.set(actor, until);
    else map.delete(actor);
    if (was !== map.has(actor)) this.changed();
    this.schedule();
  }

  private schedule(): void {
    clearTimeout(this.timer);
    const ends = [...this.present.values(), ...this.typing.values()];
    if (!ends.length) return;
    this.timer = setTimeout(() => this.lapse(), Math.max(0, Math.min(...ends) - this.clock()) + 10);
  }

  private lapse(): void {
    const now = this.clock();
    for (const map of [this.present, this.typing]) {
      for (const [actor, until] of map) {
        if (until <= now && map.delete(actor)) this.changed();
      }
    }
    this.schedule();
  }
}
