// Where a reader is in one scope's log, and the check that it missed nothing.

import { create } from "@bufbuild/protobuf";
import type { Event, EventKind } from "../gen/antiphon/events/v1/event_pb";
import {
  type EventBatch,
  StartPosition,
  type Watch,
  WatchSchema,
} from "../gen/antiphon/events/v1/stream_pb";
import { GapError } from "./errors";

/** What to follow, and from where: after `cursor`, else from now on, or from the earliest. */
export interface WatchOptions {
  cursor?: string;
  offset?: bigint;
  earliest?: boolean;
  kinds?: EventKind[];
  ephemeral?: boolean;
}

/**
 * A position that moves forward as frames come. `cursor` is where to resume; `offset` is the last
 * place in the log that was seen, undefined while that is not known. With `kinds` events are left
 * out on purpose, so gaps can't be told by offsets; what was seen already is dropped all the same.
 */
export class Place {
  cursor: string;
  offset: bigint | undefined;
  private readonly kinds: EventKind[];

  constructor(
    readonly scope: string,
    private readonly options: WatchOptions = {},
  ) {
    this.cursor = options.cursor ?? "";
    this.offset = options.offset;
    this.kinds = options.kinds ?? [];
  }

  /** What to ask the server for. */
  watch(watchId: string): Watch {
    return create(WatchSchema, {
      watchId,
      scope: this.scope,
      cursor: this.cursor,
      start: this.options.earliest ? StartPosition.EARLIEST : StartPosition.LATEST,
      kinds: this.kinds,
      ephemeral: this.options.ephemeral ?? false,
    });
  }

  /** Everything up to a position was delivered or filtered out. */
  reached(cursor: string): void {
    this.cursor = cursor;
  }

  /** Go on somewhere else, after history was lost. */
  restart(cursor: string): void {
    this.cursor = cursor;
    this.offset = undefined;
  }

  /** The batch's events that are new, in order. Throws GapError if one is missing before them. */
  take(batch: EventBatch): Event[] {
    const fresh = batch.events.filter((event) => this.isNew(event));
    this.cursor = batch.cursor;
    return fresh;
  }

  private isNew(event: Event): boolean {
    if (event.ephemeral) return true;
    if (this.offset !== undefined) {
      if (event.lastOffset <= this.offset) return false;
      if (event.firstOffset > this.offset + 1n && this.kinds.length === 0) {
        throw new GapError(this.scope, this.offset + 1n, event.firstOffset);
      }
    }
    this.offset = event.lastOffset;
    return true;
  }
}
