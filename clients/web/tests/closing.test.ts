// How streams and watches end, said by a server of this process: what a real one seldom says.

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import type { Stubs } from "../src/antiphon/channel";
import type { AntiphonError } from "../src/antiphon/errors";
import { Follower } from "../src/antiphon/follower";
import type { Connection } from "../src/antiphon/redial";
import { MemoryTokenStore, TokenSource } from "../src/antiphon/tokens";
import {
  EventService,
  type FollowRequest,
  FollowResponseSchema,
} from "../src/gen/antiphon/events/v1/event_service_pb";
import { CloseReason } from "../src/gen/antiphon/events/v1/stream_pb";
import { ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb";

type Frame = Parameters<typeof create<typeof FollowResponseSchema>>[1];
type Script = (request: FollowRequest) => AsyncGenerator<NonNullable<Frame>>;

const SCOPE = "conversations/conv_00000001";

function created(watchId = "1"): NonNullable<Frame> {
  return { frame: { case: "created", value: { watchId, cursor: "c0", headCursor: "c0" } } };
}

function batch(cursor: string, ...offsets: number[]): NonNullable<Frame> {
  const events = offsets.map((at) => ({ firstOffset: BigInt(at), lastOffset: BigInt(at) }));
  return { frame: { case: "batch", value: { watchId: "1", cursor, events } } };
}

function ended(reason: CloseReason, watchId = "1", error = ""): NonNullable<Frame> {
  const metadata = { earliest_cursor: "earliest" };
  const info = create(ErrorInfoSchema, { domain: "antiphon", reason: error, metadata });
  const status = { code: Code.OutOfRange, details: [anyPack(ErrorInfoSchema, info)] };
  const value = { watchId, reason, ...(error ? { error: status } : {}) };
  return { frame: { case: "ended", value } };
}

/** Forever, as a stream that says no more. */
const silence = () => new Promise<never>(() => {});

/** A follower of a server that plays one script for each connection. */
function play(...scripts: Script[]) {
  const requests: FollowRequest[] = [];
  const connections: Connection[] = [];
  const transport = createRouterTransport(({ rpc }) => {
    rpc(EventService.method.follow, async function* (request) {
      requests.push(request);
      const script = scripts.shift();
      if (!script) await silence();
      for await (const frame of script!(request)) {
        const message = create(FollowResponseSchema, frame);
        yield fromBinary(FollowResponseSchema, toBinary(FollowResponseSchema, message));
      }
    });
    rpc(EventService.method.cancelFollow, () => ({}));
  });
  const stubs = { events: createClient(EventService, transport) } as unknown as Stubs;
  const refuse = async () => {
    throw new ConnectError("no", Code.Unauthenticated);
  };
  const tokens = new TokenSource(refuse, new MemoryTokenStore());
  tokens.take({ accessToken: "t", accessExpiresAt: Date.now() + 900_000, refreshToken: "r", sessionId: "s" });
  const follower = new Follower(stubs, stubs, tokens, (each) => connections.push(each));
  return { follower, requests, connections };
}

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 5_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error("it never came");
    await new Promise((done) => setTimeout(done, 5));
  }
}

function listen(follower: Follower, lost?: () => string) {
  const offsets: number[] = [];
  const ends: AntiphonError[] = [];
  follower.watch(
    SCOPE,
    {
      events: (events) => offsets.push(...events.map((event) => Number(event.lastOffset))),
      ended: (error) => ends.push(error),
      ...(lost ? { lost } : {}),
    },
    { earliest: true },
  );
  return { offsets, ends };
}

for (const [name, end] of [
  ["a reader that was too slow", ended(CloseReason.SLOW_READER)],
  ["a server that stops", ended(CloseReason.DRAINING, "")],
] as const) {
  test(`${name} resumes by its cursor`, async () => {
    const { follower, requests } = play(
      async function* () {
        yield created();
        yield batch("c2", 1, 2);
        yield end;
      },
      async function* () {
        yield created();
        yield batch("c3", 2, 3);
        await silence();
      },
    );
    const { offsets, ends } = listen(follower);
    await until(() => offsets.length === 3);
    expect(offsets).toEqual([1, 2, 3]);
    expect(requests.map((each) => each.watches[0]!.cursor)).toEqual(["", "c2"]);
    expect(ends).toEqual([]);
    follower.close();
  });
}

test("draining holds the next try back for as long as it says", async () => {
  const { follower, connections } = play(async function* () {
    yield created();
    yield { frame: { case: "draining", value: { reconnectAfter: { seconds: 7n } } } };
    yield ended(CloseReason.DRAINING, "");
  });
  listen(follower);
  await until(() => connections.at(-1)?.state === "waiting");
  expect(connections.at(-1)!.pauseMs).toBeGreaterThan(7_000);
  follower.close();
});

test("access that was removed is final for its watch alone", async () => {
  const { follower, requests } = play(async function* () {
    yield created("1");
    yield created("2");
    yield ended(CloseReason.ACCESS_REMOVED);
    const value = { watchId: "2", cursor: "d1", events: [{ firstOffset: 1n, lastOffset: 1n }] };
    yield { frame: { case: "batch", value } };
    await silence();
  });
  const first = listen(follower);
  const second = listen(follower);
  await until(() => second.offsets.length === 1);
  expect(first.ends.map((error) => error.code)).toEqual([Code.PermissionDenied]);
  expect(requests).toHaveLength(1);
  follower.close();
});

test("lost history is told, and followed from where one is sent", async () => {
  const { follower, requests } = play(
    async function* () {
      yield created();
      yield batch("c1", 1);
      yield ended(CloseReason.HISTORY_LOST, "1", "CURSOR_TRIMMED");
      throw new ConnectError("cut", Code.Unavailable);
    },
    async function* () {
      yield batch("c9", 9);
      await silence();
    },
  );
  const { offsets } = listen(follower, () => "earliest");
  await until(() => offsets.length === 2);
  expect(offsets).toEqual([1, 9]);
  expect(requests[1]!.watches[0]!.cursor).toBe("earliest");
  follower.close();
});

test("a gap ends its watch, and nothing behind it is told", async () => {
  const { follower } = play(async function* () {
    yield created();
    yield batch("c1", 1);
    yield batch("c3", 3);
    yield batch("c4", 4);
    await silence();
  });
  const { offsets, ends } = listen(follower);
  await until(() => ends.length === 1);
  expect(offsets).toEqual([1]);
  expect(ends[0]!.reason).toBe("GAP");
  follower.close();
});

test("a session that has ended is final when there is no other token", async () => {
  const { follower, connections } = play(async function* () {
    yield created();
    yield ended(CloseReason.SESSION_ENDED, "");
  });
  const { ends } = listen(follower);
  await until(() => ends.length === 1);
  expect(ends[0]!.code).toBe(Code.Unauthenticated);
  expect(connections.at(-1)!.state).toBe("ended");
});

test("one who pauses gives the connection back, and goes on where it was", async () => {
  const { follower, requests, connections } = play(
    async function* () {
      yield created();
      yield batch("c1", 1);
      await silence();
    },
    async function* () {
      yield created();
      yield batch("c2", 2);
      await silence();
    },
  );
  const { offsets } = listen(follower);
  await until(() => offsets.length === 1);
  follower.pause();
  await until(() => connections.at(-1)?.state === "idle");
  follower.resume();
  await until(() => offsets.length === 2);
  expect(requests[1]!.watches[0]!.cursor).toBe("c1");
  follower.close();
});
