// Where a reader is in a conversation's log, and the answer as far as it is known.

export const WATCH_ID = "1";

/** A position that moves forward as frames come, and lets nothing be missed or come twice. */
export class Place {
  cursor = "";
  offset; // of the last event taken; undefined before the first
  first;

  constructor(scope) {
    this.scope = scope;
  }

  /** What to ask the server for: all from the log's beginning, or what follows the cursor. */
  watch() {
    const start = "START_POSITION_EARLIEST";
    return { watchId: WATCH_ID, scope: this.scope, cursor: this.cursor, start };
  }

  /** A batch's new events, in order. Throws if one is missing before them. */
  take(batch) {
    const fresh = batch.events.filter((event) => event.ephemeral || this.#isNew(event));
    this.cursor = batch.cursor;
    return fresh;
  }

  /** Each event begins right after the last one; after a fold it may begin before, and ends behind. */
  #isNew({ firstOffset, lastOffset }) {
    if (this.offset !== undefined) {
      if (lastOffset <= this.offset) return false;
      const expected = this.offset + 1;
      if (firstOffset > expected) throw new Gap(expected, firstOffset);
    }
    this.first ??= firstOffset;
    this.offset = lastOffset;
    return true;
  }
}

/** Events are missing: a defect that nobody may overlook. */
export class Gap extends Error {
  constructor(expected, found) {
    super(`GAP: expected the event at offset ${expected}, got the one at ${found}`);
  }
}

/** A message's text from pieces that may come twice, or folded into the whole message. */
export class Text {
  #bytes = Buffer.alloc(0);

  /** What a piece adds; `position` counts bytes of UTF-8. */
  append(position, text) {
    if (position > this.#bytes.length) return ""; // its beginning is folded: the message follows
    return this.#add(Buffer.from(text).subarray(this.#bytes.length - position));
  }

  /** What the whole message adds to the pieces. */
  complete(whole) {
    return this.append(0, whole);
  }

  #add(bytes) {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    return bytes.toString();
  }
}
