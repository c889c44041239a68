// One question and its answer, over as many connections as it takes.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { Failure } from "./contracts.js";
import { Place, Text } from "./place.js";

const SILENCE_MS = 40_000; // a healthy stream says something every 25 s
const GIVE_UP_MS = 60_000;
const FINAL = ["TURN_STATE_SUCCEEDED", "TURN_STATE_FAILED", "TURN_STATE_CANCELLED", "TURN_STATE_EXPIRED"];

// What the server says of itself, and what the transport says when a connection breaks.
const RESUMABLE_REASONS = ["OVERLOADED", "DRAINING", "RATE_LIMITED", "SERVICE_UNAVAILABLE", "STORE_UNAVAILABLE"];
const RESUMABLE_CODES = [
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.CANCELLED,
  status.INTERNAL,
  status.UNKNOWN,
];

const milliseconds = ({ seconds, nanos }) => seconds * 1000 + nanos / 1e6;
const lost = (message) => new Failure(status.UNAVAILABLE, message);

export class Talk {
  connections = 0;
  #posted = false;
  #stopping = false;
  #finished;
  #stream;
  #text = new Text();
  #tries = 0;
  #hold = 0;
  #worked;
  #refused = false;

  /** `onText` gets the answer's pieces, `onLost` each failure after which the stream is resumed. */
  constructor(session, conversationId, { onText, onLost }) {
    this.session = session;
    this.conversationId = conversationId;
    // Our own: whatever is lost on the way, posting again can't start a second turn.
    this.turnId = `turn_${randomUUID()}`;
    this.place = new Place(`conversations/${conversationId}`);
    this.onText = onText;
    this.onLost = onLost;
  }

  /** Posts, and returns how the turn finished. Throws Failure, or Gap. */
  async ask(question) {
    this.#worked = Date.now();
    while (!this.#finished) {
      try {
        await this.#connection(question);
      } catch (error) {
        await this.#pause(Failure.of(error));
      }
    }
    return this.#finished;
  }

  /** Stops the turn: what was said stays, and the turn finishes as cancelled. */
  stop() {
    this.#stopping = true;
    this.#stream?.write(this.#cancel());
  }

  /** Breaks the connection, as a network would. */
  cut() {
    this.#stream?.cancel();
  }

  async #connection(question) {
    const stream = (this.#stream = await this.session.converse());
    stream.on("error", () => {}); // the loop below throws it
    const silence = setTimeout(() => stream.destroy(lost("the server was silent")), SILENCE_MS);
    const closed = new AbortController();
    // Without another token the server will end the stream, and the next connection signs in.
    this.#renew(stream, closed.signal).catch(() => {});
    try {
      stream.write({ subscribe: this.place.watch() });
      if (!this.#posted) stream.write(this.#post(question));
      if (this.#stopping) stream.write(this.#cancel());
      for await (const frame of stream) {
        silence.refresh();
        this.#take(frame);
        if (this.#finished) return;
      }
      throw lost("the server ended the stream");
    } finally {
      clearTimeout(silence);
      closed.abort();
      stream.cancel();
    }
  }

  /** Sends each next token on the stream before the one before expires. */
  async #renew(stream, signal) {
    for (;;) {
      await sleep(Math.max(this.session.renewIn, 1_000), undefined, { signal });
      stream.write({ refresh: { accessToken: await this.session.token() } });
    }
  }

  #post(text) {
    const { conversationId, turnId } = this;
    return { tag: "post", post: { conversationId, turnId, parts: [{ text }] } };
  }

  #cancel() {
    const { conversationId, turnId } = this;
    return { tag: "cancel", cancel: { conversationId, turnId } };
  }

  #take(frame) {
    switch (frame.frame) {
      case "created":
        this.connections += 1;
        this.#worked = Date.now();
        this.place.cursor ||= frame.created.cursor;
        break;
      case "batch":
        this.#tries = 0;
        this.#refused = false;
        for (const event of this.place.take(frame.batch)) this.#apply(event);
        break;
      case "progress":
        this.place.cursor = frame.progress.watches[0]?.cursor || this.place.cursor;
        break;
      case "accepted":
        this.#accepted(frame.accepted);
        break;
      case "draining":
        this.#hold = milliseconds(frame.draining.reconnectAfter);
        break;
      case "ended":
        throw ending(frame.ended);
      case "error":
        throw Failure.ofStatus(frame.error.error);
    }
  }

  #accepted({ tag, turn }) {
    if (tag === "post") this.#posted = true;
    // Stopped before it came: no event will tell.
    if (FINAL.includes(turn.state) && !turn.messageId) this.#finished = turn;
  }

  #apply(event) {
    if (event.turnId !== this.turnId) return;
    if (event.payload === "textDeltaAppended") {
      const { position, text } = event.textDeltaAppended;
      this.onText(this.#text.append(position, text));
    } else if (event.payload === "messagePosted") {
      const { role, parts } = event.messagePosted.message;
      if (role !== "MESSAGE_ROLE_ASSISTANT") return;
      this.onText(this.#text.complete(parts.map((part) => part.text).join("\n")));
    } else if (event.payload === "turnFinished") {
      this.#finished = event.turnFinished;
    }
  }

  /** Waits before the next try. Throws the error if there shall be none. */
  async #pause(error) {
    if (error.code === status.UNAUTHENTICATED && error.reason !== "CREDENTIALS_INVALID" && !this.#refused) {
      this.#refused = true;
      this.session.forget();
    } else if (!isResumable(error) || Date.now() - this.#worked > GIVE_UP_MS) {
      throw error;
    }
    this.onLost(error);
    const most = Math.min(100 * 2 ** this.#tries++, 3_000);
    await sleep(this.#hold + most * (0.1 + 0.9 * Math.random()));
    this.#hold = 0;
  }
}

function isResumable(error) {
  if (!(error instanceof Failure)) return false;
  return error.reason ? RESUMABLE_REASONS.includes(error.reason) : RESUMABLE_CODES.includes(error.code);
}

/** Why the watch is over. */
function ending({ reason, error }) {
  switch (reason) {
    case "CLOSE_REASON_DRAINING":
    case "CLOSE_REASON_SLOW_READER":
      return lost(reason);
    case "CLOSE_REASON_SESSION_ENDED":
      return Failure.ofStatus(error, new Failure(status.UNAUTHENTICATED, reason));
    default: // final: access removed, history lost, rejected, cancelled
      return Failure.ofStatus(error, new Failure(status.FAILED_PRECONDITION, reason));
  }
}
