// What is looked for, found and marked, without a browser.

import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { afterEach, expect, test } from "vitest";
import { AntiphonError, Thread } from "../src/antiphon";
import { SearchMessagesResponseSchema } from "../src/gen/antiphon/memory/v1/search_service_pb";
import { addressOf, openAt } from "../src/page/address";
import { ANYTHING, type Asked, requestOf } from "../src/page/search/asking";
import { piecesOf } from "../src/page/search/excerpt";
import { Searching } from "../src/page/search/searching";
import { countOf, leftOutOf, whyOf } from "../src/page/search/words";
import { placeOf } from "../src/page/conversation/items";
import { newSession, until } from "./world";

const asked = (query: string, more: Partial<Asked> = {}): Asked => ({ ...ANYTHING, query, ...more });
const marked = (text: string, ...stretches: [number, number][]) =>
  piecesOf(text, stretches.map(([start, end]) => ({ start, end }))).map((each) => (each.isAsked ? `[${each.text}]` : each.text));

test("highlights count code points, also behind what takes two units of UTF-16", () => {
  expect(marked("the sea", [4, 7])).toEqual(["the ", "[sea]"]);
  expect(marked("👩‍🚀 𝔘ber die See 🌊!", [4, 8], [13, 16])).toEqual(["👩‍🚀 ", "[𝔘ber]", " die ", "[See]", " 🌊!"]);
  expect(marked("שלום 😀 עולם", [7, 11])).toEqual(["שלום 😀 ", "[עולם]"]);
});

test("stretches that overlap, are empty, in disorder or beyond the end lose nothing of the text", () => {
  expect(marked("abcdef", [3, 5], [0, 2])).toEqual(["[ab]", "c", "[de]", "f"]);
  expect(marked("abcdef", [0, 4], [2, 3], [4, 4])).toEqual(["[abcd]", "ef"]);
  expect(marked("abc", [1, 90], [95, 99])).toEqual(["a", "[bc]"]);
  expect(marked("", [0, 3])).toEqual([]);
});

test("a place is a conversation or a workspace, a time some days ago or a day", () => {
  const now = Date.UTC(2026, 10, 26);
  const since = (value: string) => {
    const { notBefore } = requestOf(asked("a", { since: value }), 20, now);
    return notBefore && timestampMs(notBefore as never);
  };
  expect(requestOf(asked(" sea ", { place: "conv_12345678" }), 20)).toEqual({ query: "sea", conversationIds: ["conv_12345678"], authors: [], pageSize: 20 });
  expect(requestOf(asked("sea", { place: "ws_12345678", author: "handlers/echo" }), 9)).toMatchObject({ workspaceId: "ws_12345678", authors: ["handlers/echo"] });
  expect(since("7")).toBe(now - 7 * 86_400_000);
  expect(since("2026-03-23")).toBe(new Date(2026, 2, 23).getTime());
  expect([since(""), since("2026-3"), since("2026-13-45")]).toEqual([undefined, undefined, undefined]);
});

test("an address says which message, and nothing else is one", () => {
  const address = addressOf("conv_0123456789", "msg_abc-DEF_1");
  expect(openAt(address)).toEqual({ conversationId: "conv_0123456789", messageId: "msg_abc-DEF_1" });
  expect(openAt("#/c/conv_0123456789")).toEqual({ conversationId: "conv_0123456789", messageId: "" });
  for (const odd of ["#/c/conv_0123456789/", "#/c/conv_0123456789/turn_1", `${address}/x`, `${address}"><b>`]) {
    expect(openAt(odd)).toEqual({ conversationId: "", messageId: "" });
  }
});

type Answer = object | AntiphonError;

/** A server that gives these answers one after another, the last one for ever; it says what it was asked. */
class Scripted {
  readonly queries: string[] = [];
  readonly signals: AbortSignal[] = [];
  constructor(private readonly answers: Answer[], private readonly ms = 0) {}

  readonly searchMessages = async (request: { query?: string }, options?: { signal?: AbortSignal }) => {
    this.queries.push(request.query ?? "");
    this.signals.push(options!.signal!);
    const answer = this.answers.length > 1 ? this.answers.shift()! : this.answers[0]!;
    await new Promise((done) => setTimeout(done, this.ms));
    if (answer instanceof AntiphonError) throw answer;
    return create(SearchMessagesResponseSchema, answer);
  };
}

const open: Searching[] = [];
afterEach(() => open.splice(0).forEach((each) => each.close()));

function searching(server: Scripted, pauseMs = 5): Searching {
  const made = new Searching(server as never, pauseMs, 5);
  open.push(made);
  return made;
}

/** What it says after each change: some of it lasts for a few milliseconds. */
function told(it: Searching, say: (it: Searching) => string | undefined): string[] {
  const said: string[] = [];
  it.onChange(() => {
    const one = say(it);
    if (one && said.at(-1) !== one) said.push(one);
  });
  return said;
}

const hits = (count: number) => ({ hits: Array.from({ length: count }, (_, at) => ({ message: { messageId: `msg_${at}` } })) });

test("what is typed is asked for a moment after the last letter", async () => {
  const server = new Scripted([hits(1)]);
  const it = searching(server, 30);
  for (const query of ["s", "se", "sea"]) it.ask(asked(query));
  await until(() => it.found !== undefined);
  expect(server.queries).toEqual(["sea"]);
  expect(countOf(it)).toBe("1 message");
});

test("a search that runs is cancelled by the next one, and its answer is dropped", async () => {
  const server = new Scripted([hits(3), hits(1)], 30);
  const it = searching(server);
  it.ask(asked("sea"));
  await until(() => server.queries.length === 1);
  it.ask(asked("seal"));
  expect(server.signals[0]!.aborted).toBe(true);
  await until(() => it.found !== undefined && !it.isLooking);
  expect([server.queries, it.hits.length]).toEqual([["sea", "seal"], 1]);
});

test("nothing is asked for where nothing is typed, and what was found goes", async () => {
  const server = new Scripted([hits(2)]);
  const it = searching(server);
  it.ask(asked("sea"));
  await until(() => it.hits.length === 2);
  it.ask(asked("  "));
  await new Promise((done) => setTimeout(done, 30));
  expect([it.found, it.isLooking, server.queries, countOf(it)]).toEqual([undefined, false, ["sea"], ""]);
});

test("it is looked again by itself until all conversations were read", async () => {
  const server = new Scripted([{ pendingConversations: 2 }, { ...hits(1), pendingConversations: 1 }, hits(2)]);
  const it = searching(server);
  const said = told(it, leftOutOf);
  it.ask(asked("sea"));
  await until(() => it.hits.length === 2);
  expect(said[0]).toBe("2 conversations are still being read; what is in there comes by itself.");
  await new Promise((done) => setTimeout(done, 50));
  expect([server.queries.length, leftOutOf(it)]).toEqual([3, ""]);
});

test("a server that is away, or wants a pause, is asked again by itself; another error is told alone", async () => {
  const away = new AntiphonError(Code.Unavailable, "");
  const limited = new AntiphonError(Code.ResourceExhausted, "", { reason: "RATE_LIMITED", retryAfterMs: 60 });
  const server = new Scripted([away, limited, hits(1)]);
  const it = searching(server);
  const said = told(it, ({ error }) => (error?.isAway ? "away" : error?.reason));
  const begin = performance.now();
  it.ask(asked("sea"));
  await until(() => it.hits.length === 1);
  expect(said).toEqual(["away", "RATE_LIMITED"]);
  expect(performance.now() - begin).toBeGreaterThan(60);
  expect(it.error).toBeUndefined();
  const wrong = new Scripted([new AntiphonError(Code.InvalidArgument, "", { reason: "INVALID_ARGUMENT" })]);
  const other = searching(wrong);
  other.ask(asked("sea"));
  await until(() => other.error !== undefined);
  await new Promise((done) => setTimeout(done, 40));
  expect(wrong.queries).toEqual(["sea"]);
});

test("more are shown once somebody wants them, up to the most that there can be", async () => {
  const server = new Scripted([hits(20), hits(100)]);
  const it = searching(server);
  it.ask(asked("sea"));
  await until(() => it.hits.length === 20);
  expect([it.hasMore, countOf(it)]).toEqual([true, "The 20 that fit best"]);
  it.more();
  await until(() => it.hits.length === 100);
  expect([it.hasMore, it.isFull]).toEqual([false, true]);
  expect(countOf(it)).toMatch(/^The 100 that fit best; say more exactly/);
});

test("why one was found says what counts most first, in words", () => {
  const hit = { parts: { words: 2.5, session: 0.001, neighbours: -3, "odd\u202e": 0.5 } };
  expect(whyOf(hit as never)).toBe("what was said beside it -3.00 · its words 2.50 · odd⟨U+202E⟩ 0.50");
});

/** A conversation: a question that was asked twice, and an answer for which another handler worked. */
function conversation(): Thread {
  const said = (id: string, role: string, turnId: string) => ({ id, role, turnId });
  const messages = [
    said("msg_q1", "user", "turn_1"),
    said("msg_a1", "assistant", "turn_1"),
    said("msg_q2", "user", "turn_2~turn_1"),
    said("msg_a2", "assistant", "turn_2~turn_1"),
    said("msg_q3", "user", "turn_3"),
    said("msg_a3", "assistant", "turn_3"),
  ];
  const inner = [said("msg_told", "user", "turn_4"), said("msg_worked", "assistant", "turn_5")];
  const turns: Record<string, object> = {
    turn_3: { turnId: "turn_3", messageId: "msg_q3", replyMessageId: "msg_a3" },
    turn_4: { turnId: "turn_4", parentTurnId: "turn_3", messageId: "msg_told" },
    turn_5: { turnId: "turn_5", parentTurnId: "turn_4", replyMessageId: "msg_worked" },
  };
  const entry = (id: string) => [...messages, ...inner].find((each) => each.id === id);
  return { messages, entry, turn: (id: string) => turns[id] } as unknown as Thread;
}

test("a message is shown where it stands, or in the answer that it was said for", () => {
  const thread = conversation();
  const at = (id: string) => placeOf(thread, id)?.elementId;
  expect(["msg_q1", "msg_a1", "msg_a3"].map(at)).toEqual(["msg_q1", "msg_a1", "msg_a3"]);
  expect(["msg_told", "msg_worked"].map(at)).toEqual(["msg_a3", "msg_a3"]);
  expect(at("msg_nowhere")).toBeUndefined();
});

test("a message is reached however far back it is, or it is said that it is far, missing, or not wanted any more", async () => {
  const session = await newSession();
  const { context } = session.stubs;
  const { conversation: made } = await context.createConversation({ title: "Long" });
  const { conversationId } = made!;
  const say = (value: string) => context.postMessage({ conversationId, parts: [{ content: { case: "text", value } }] });
  const { message: first } = await say("The first");
  for (let at = 0; at < 300; at += 10) await Promise.all(Array.from({ length: 10 }, () => say("Another")));
  const thread = session.thread(conversationId);
  await thread.start();
  const { signal } = new AbortController();
  const stopped = new AbortController();
  stopped.abort();
  expect(thread.entry(first!.messageId)).toBeUndefined();
  expect(await thread.reach(first!.messageId, stopped.signal)).toBe("stopped");
  expect(await thread.reach(first!.messageId, signal, 100)).toBe("far");
  const read: (number | undefined)[] = [];
  thread.onChange(() => read.push(thread.reaching));
  expect(await thread.reach(first!.messageId, signal)).toBe("there");
  expect(thread.messages[0]?.text).toBe("The first");
  expect(thread.messages.length).toBe(301);
  await until(() => read.at(-1) === undefined);
  expect(read).toContain(0);
  expect(await thread.reach("msg_nowhere", signal)).toBe("missing");
  thread.close();
  session.follower.close();
});
