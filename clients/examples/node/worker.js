// Serves the handler "readability": node worker.js. `antiphon workers invite readability` prints what to
// set: ANTIPHON_ADDRESS and ANTIPHON_API_KEY. PAUSE_MS before each piece shows them coming.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { Failure } from "./contracts.js";
import { examples, readability } from "./readability.js";
import { Session } from "./session.js";

const NAME = "readability";
const HANDLERS = [{ name: NAME, description: "Says how hard a text is to read.", examples }];
const FINAL = ["CREDENTIALS_INVALID", "HANDLER_NOT_ALLOWED", "INVALID_ARGUMENT"]; // another try would not help
const KEPT = 0.8; // of a lease: how long a turn is worked on without a beat that names it
const { ANTIPHON_ADDRESS = "localhost:7450", ANTIPHON_API_KEY: apiKey, PAUSE_MS = 0 } = process.env;
const [turns, milliseconds] = [new Map(), ({ seconds, nanos }) => seconds * 1000 + nanos / 1e6];
let terms, hold = 0; // how the server wants to be worked with, and how long not to be called

/** A turn that is worked on. It outlives streams: what it says is kept until it is stored. */
class Turn {
  stopped = new AbortController();
  unstored = []; // outputs, and at last the finish

  /** Begins, or goes on under a new fence on a new stream: what is not stored is said again. */
  adopt({ turnId, conversationId, fence, sequence }, stream) {
    const last = this.sequence ?? sequence;
    Object.assign(this, { turnId, conversationId, fence, sequence: last, stream, renewed: performance.now() });
    stream.write({ accept: { turnId, fence } });
    for (const frame of this.stored(sequence).splice(0)) this.say(frame);
  }

  async run({ parts, text: said, type, metadata }) {
    for (const piece of readability(parts.map((part) => part.text ?? "").join("\n"), { type, metadata })) {
      const text = piece.slice(said.length); // an earlier attempt may have said some of it
      said = said.slice(piece.length);
      do {
        await sleep(Number(PAUSE_MS), undefined, { signal: this.stopped.signal });
        if (performance.now() - this.renewed > KEPT * milliseconds(terms.lease)) return this.drop();
      } while (this.unstored.length >= terms.maxUnacknowledged);
      if (text) this.say({ output: { sequence: (this.sequence += 1), text } });
    }
    this.finish();
  }

  /** How: not at all, { failure } or, for people to go on with, { handOff: { reason, otherwise } }. */
  finish(how = {}) {
    this.say({ finish: { sequence: this.sequence, ...how } });
  }

  say(frame) {
    this.unstored.push(frame);
    const { turnId, fence } = this;
    for (const [kind, said] of Object.entries(frame)) this.stream?.write({ [kind]: { turnId, fence, ...said } });
  }

  stored(sequence) {
    return (this.unstored = this.unstored.filter(({ output }) => !output || output.sequence > sequence));
  }

  drop() { // it has ended, or is somebody else's: nothing more is said of it
    this.stopped.abort();
    turns.delete(this.turnId);
  }
}

function assigned(assign, stream) {
  const { turnId, fence, held } = assign;
  if (!held) turns.get(turnId)?.drop();
  const turn = held ? turns.get(turnId) : new Turn();
  if (!turn) return stream.write({ decline: { turnId, fence, reason: "it was let go of" } });
  turns.set(turnId, turn);
  turn.adopt(assign, stream);
  if (!held) turn.run(assign).catch(() => turn.stopped.signal.aborted || turn.finish({ failure: "The worker has failed." }));
}

/** One stream, until it breaks. */
async function connection(session, workerId) {
  const stream = await session.work();
  const hello = { workerId, deployment: NAME, version: "1", handlers: HANDLERS, slots: 4, held: [...turns.values()] };
  let timer, saidAt; // of the heartbeat that is not answered yet
  const beat = async () => {
    if (saidAt) throw new Failure(status.UNAVAILABLE, "the server is silent");
    if (!session.renewIn) stream.write({ refresh: { accessToken: await session.token() } });
    stream.write({ heartbeat: { turnIds: [...turns.keys()].filter((turnId) => turns.get(turnId).stream) } });
    saidAt = performance.now();
  };
  stream.write({ hello });
  try {
    for await (const { frame, [frame]: said } of stream) {
      const turn = [turns.get(said.turnId)].find((known) => [known?.fence, 0].includes(said.fence));
      if (frame === "welcome") {
        [terms, hold] = [said, 0];
        timer = setInterval(() => beat().catch((error) => stream.destroy(error)), milliseconds(terms.heartbeat));
        console.error(`[connected: ${NAME} is served]`);
      } else if (frame === "beat") {
        for (const turnId of said.turnIds) Object.assign(turns.get(turnId) ?? {}, { renewed: saidAt });
        saidAt = undefined;
      } else if (frame === "assign") assigned(said, stream);
      else if (frame === "ack" && !said.finished) turn?.stored(said.sequence);
      else if (["ack", "cancel", "revoke"].includes(frame)) turn?.drop();
      else if (frame === "draining") hold = milliseconds(said.reconnectAfter);
      else console.error(frame, said);
    }
    throw new Failure(status.UNAVAILABLE, "the server ended the stream");
  } finally {
    clearInterval(timer);
    for (const turn of turns.values()) turn.stream = undefined;
    stream.cancel();
  }
}

const session = new Session(ANTIPHON_ADDRESS, { apiKey: { apiKey } });
const workerId = `worker_${randomUUID()}`; // one for the life of this process
for (;;) {
  const error = await connection(session, workerId).catch(Failure.of);
  if (!(error instanceof Failure) || FINAL.includes(error.reason)) throw error;
  if (error.code === status.UNAUTHENTICATED) session.forget();
  console.error(`[${error.message}; ${turns.size} turns go on]`);
  await sleep(hold + 100 + 400 * Math.random());
}
