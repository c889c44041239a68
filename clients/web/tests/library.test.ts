// The library against a real server through a real Envoy, cuts included.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AntiphonError, type Connection, NOBODY, Session, Thread } from "../src/antiphon";
import { TurnState, type Event } from "../src/gen/antiphon/events/v1/event_pb";
import { signedStubs } from "../src/antiphon/channel";
import { PAGE, Proxy, ask, newPerson, newSession, until } from "./world";

const WISHES = { handler: "", model: "" };
let proxy: Proxy;

beforeAll(async () => {
  proxy = await new Proxy().start();
});
afterAll(() => proxy.stop());

async function newThread(session: Session): Promise<Thread> {
  const made = await session.stubs.context.createConversation({ title: "Test" });
  const thread = session.thread(made.conversation!.conversationId);
  await thread.start();
  return thread;
}

function answers(thread: Thread): string[] {
  return thread.messages.filter((each) => each.role === "assistant").map((each) => each.text);
}

test("a wrong password is told from a server that is away", async () => {
  const { name } = await newPerson();
  const session = new Session({ baseUrl: proxy.url }, "test");
  await expect(session.logInByPassword(name, "not the password")).rejects.toMatchObject({
    reason: "CREDENTIALS_INVALID",
  });
  const nowhere = new Session({ baseUrl: "http://127.0.0.1:9" }, "test");
  await expect(nowhere.logInByPassword(name, "x")).rejects.toMatchObject({ isAway: true });
});

test("a refused token is renewed within the call", async () => {
  const session = await newSession();
  const first = await session.tokens.get();
  session.tokens.adopt({ ...session.tokens.current!, accessToken: `${first}x` });
  const { user } = await session.stubs.auth.whoAmI({});
  expect(user?.userId).toBe(session.user?.userId);
});

test("a change whose answer is lost is repeated, and made once", async () => {
  const [session, other] = [await newSession(), await newSession()];
  const { conversationId: resource } = await newThread(session);
  const sent: ArrayBufferLike[] = [];
  const losing: typeof fetch = async (input, init) => {
    const answer = await fetch(input, init);
    sent.push((init!.body as Uint8Array).slice().buffer);
    if (sent.length === 1) throw new TypeError("the answer is lost");
    return answer;
  };
  const stubs = signedStubs({ baseUrl: PAGE, fetch: losing }, session.tokens);
  const { member } = await stubs.context.addMember({ resource, userId: other.user!.userId, role: 2 });
  expect(member?.userId).toBe(other.user!.userId);
  expect(sent.length).toBe(2);
  expect(sent[1]).toEqual(sent[0]);
  session.follower.close();
  other.follower.close();
});

test("what is asked is answered, with what it cost", async () => {
  const session = await newSession();
  const thread = await newThread(session);
  await thread.ask("How are you?", WISHES);
  await until(() => thread.messages.length === 2 && thread.open.length === 0);
  const turn = thread.turn(thread.messages[1]!.turnId)!;
  expect(answers(thread)).toEqual(["word ".repeat(20)]);
  expect([turn.state, turn.model]).toEqual([TurnState.SUCCEEDED, "fake/model"]);
  expect(turn.usage?.cost?.micros).toBeGreaterThan(0n);
  expect(thread.outgoing).toEqual([]);
  session.follower.close();
});

test("what programs say of a message is told with it, also when it is asked again", async () => {
  const session = await newSession();
  const labels = { team: "sales" };
  const made = await session.stubs.context.createConversation({ labels, language: "de" });
  expect([made.conversation!.labels, made.conversation!.language]).toEqual([labels, "de"]);
  const thread = session.thread(made.conversation!.conversationId);
  await thread.start();
  const metadata = { form: "order" };
  await thread.ask("{}", { handler: "echo", model: "", type: "form.submitted", metadata });
  await until(() => thread.messages.length === 2);
  thread.askAgain(thread.messages[0]!, WISHES);
  await thread.ask("among us", { handler: NOBODY, model: "", type: "note" });
  await until(() => thread.messages.length === 5 && thread.open.length === 0);
  const asked = thread.messages.filter(({ role }) => role === "user").map(({ type, metadata }) => ({ type, metadata }));
  expect(asked.filter(({ type }) => type === "form.submitted")).toEqual(Array(2).fill({ type: "form.submitted", metadata }));
  expect(asked.filter(({ type }) => type === "note")).toEqual([{ type: "note", metadata: {} }]);
  session.follower.close();
});

test("stop means stop: what is shown is what is kept", async () => {
  await ask("answer", { deltas: 400, gap_ms: 10 });
  const session = await newSession();
  const thread = await newThread(session);
  await thread.ask("Go on", WISHES);
  await until(() => (thread.open[0]?.text.length ?? 0) > 20);
  await thread.stopAll();
  await until(() => answers(thread).length === 1);
  const { messages } = await session.stubs.context.listMessages({
    conversationId: thread.conversationId,
  });
  expect(messages[0]!.truncated).toBe(true);
  expect(messages[0]!.parts[0]!.content.value).toBe(answers(thread)[0]);
  expect(answers(thread)[0]!.length).toBeLessThan(400 * 5);
  const turn = thread.turn(thread.messages.at(-1)!.turnId)!;
  await until(() => (turn.usage?.outputTokens ?? 0n) > 0n);
  session.follower.close();
});

test("two who are there see each other come and type", async () => {
  const [one, other] = [await newSession(), await newSession()];
  const thread = await newThread(one);
  const { conversationId } = thread;
  const member = { resource: conversationId, userId: other.user!.userId, role: 2 };
  await one.stubs.context.addMember(member);
  const theirs = other.thread(conversationId);
  await theirs.start();
  await until(() => thread.company.here.includes(other.actor));
  await until(() => theirs.company.here.includes(one.actor)); // who was there says so
  theirs.setTyping(true);
  await until(() => thread.company.writers.includes(other.actor));
  theirs.setTyping(false);
  await until(() => thread.company.writers.length === 0);
  theirs.close();
  await until(() => thread.company.here.length === 0);
  one.follower.close();
  other.follower.close();
});

describe("over connections that break", () => {
  test("every event comes once, in order, and nothing is missing", async () => {
    for (let turn = 0; turn < 4; turn += 1) await ask("answer", { deltas: 120, gap_ms: 5 });
    const session = await newSession(proxy.url);
    const thread = await newThread(session);
    const scope = `conversations/${thread.conversationId}`;
    const events: Event[] = [];
    const ends: AntiphonError[] = [];
    session.follower.watch(
      scope,
      { events: (fresh) => events.push(...fresh), ended: (error) => ends.push(error) },
      { earliest: true },
    );
    let isDone = false;
    const cutting = (async () => {
      while (!isDone) {
        await new Promise((done) => setTimeout(done, 80 + Math.random() * 300));
        proxy.cut();
      }
    })();
    for (let turn = 0; turn < 4; turn += 1) {
      await thread.ask(`Question ${turn}`, WISHES);
    }
    for (const failed of thread.outgoing) await thread.retry(failed);
    await until(() => answers(thread).length === 4 && thread.open.length === 0, 18_000);
    isDone = true;
    await cutting;
    const { events: stored } = await session.stubs.events.readEvents({ scope, pageSize: 1000 });
    const head = stored.at(-1)!.lastOffset;
    await until(() => events.at(-1)!.lastOffset === head);
    const logged = events.filter((event) => !event.ephemeral);
    logged.forEach((event, index) => {
      const before = logged[index - 1]?.lastOffset ?? 0n;
      expect(event.firstOffset).toBeLessThanOrEqual(before + 1n);
      expect(event.lastOffset).toBeGreaterThan(before);
    });
    expect(answers(thread)).toEqual(Array(4).fill("word ".repeat(120)));
    expect(ends).toEqual([]);
    expect(proxy.accepted).toBeGreaterThan(5);
    session.follower.close();
  }, 30_000);

  test("what no server took is sent in the order in which it was said", async () => {
    const session = await newSession(proxy.url);
    const thread = await newThread(session);
    proxy.shut();
    const texts = Array.from({ length: 8 }, (_, count) => `message ${count}`);
    for (const text of texts.slice(0, 6)) await thread.ask(text, WISHES);
    expect(thread.outgoing.map((each) => each.state)).toEqual(Array(6).fill("failed"));
    proxy.speak();
    await Promise.all(texts.slice(6).map((text) => thread.ask(text, WISHES)));
    await until(() => thread.outgoing.length === 0);
    const said = thread.messages.filter((each) => each.role === "user").map((each) => each.text);
    expect(said).toEqual(texts);
    session.follower.close();
  });

  test("a connection that has gone silent is given up", async () => {
    const states: Connection[] = [];
    const listener = { connection: (each: Connection) => states.push(each) };
    const session = await newSession(proxy.url, listener, 900);
    const thread = await newThread(session);
    await until(() => states.at(-1)?.state === "connected");
    proxy.silence();
    await until(() => states.some((each) => each.state === "waiting"));
    proxy.speak();
    proxy.cut();
    await until(() => states.at(-1)?.state === "connected");
    expect(thread.error).toBeUndefined();
    session.follower.close();
  });
});

test("watches come and go on the one stream", async () => {
  const states: Connection[] = [];
  const session = await newSession(undefined, { connection: (each) => states.push(each) });
  const first = await newThread(session);
  await until(() => states.at(-1)?.state === "connected");
  const second = await newThread(session);
  await Promise.all([first.ask("One", WISHES), second.ask("Two", WISHES)]);
  await until(() => answers(first).length === 1 && answers(second).length === 1);
  second.close();
  await first.ask("Three", WISHES);
  await until(() => answers(first).length === 2);
  expect(states.filter((each) => each.state === "connecting")).toHaveLength(1);
  session.follower.close();
});

test("a stream's token is renewed in time, and the stream goes on", async () => {
  const states: Connection[] = [];
  const session = await newSession(undefined, { connection: (each) => states.push(each) });
  const before = { ...session.tokens.current!, accessExpiresAt: Date.now() + 2_500 };
  session.tokens.adopt(before);
  const thread = await newThread(session);
  await until(() => session.tokens.current!.accessToken !== before.accessToken);
  const { sessionId } = session.tokens;
  await thread.ask("Still there?", WISHES);
  await until(() => answers(thread).length === 1);
  expect(states.filter((each) => each.state === "connecting")).toHaveLength(1);
  expect(session.tokens.sessionId).toBe(sessionId);
  session.follower.close();
});

test("a page that comes in the middle shows the answer from its first word", async () => {
  await ask("answer", { deltas: 150, gap_ms: 8 });
  const session = await newSession();
  const thread = await newThread(session);
  await thread.ask("Tell me", WISHES);
  await until(() => (thread.open[0]?.text.length ?? 0) > 100);
  const again = session.thread(thread.conversationId);
  await again.start();
  expect(again.open[0]!.text.startsWith("word word word")).toBe(true);
  expect(again.open[0]!.text.length).toBeGreaterThan(50);
  await until(() => answers(again).length === 1);
  expect(answers(again)).toEqual(["word ".repeat(150)]);
  session.follower.close();
});

test("long histories come in pages, with their turns", async () => {
  const session = await newSession();
  const thread = await newThread(session);
  const { conversationId } = thread;
  for (let count = 0; count < 60; count += 1) {
    const parts = [{ content: { case: "text" as const, value: `message ${count}` } }];
    await session.stubs.context.postMessage({ conversationId, parts });
  }
  const again = session.thread(conversationId);
  await again.start();
  expect([again.messages.length, again.hasOlder]).toEqual([50, true]);
  await again.loadOlder();
  expect([again.messages.length, again.hasOlder]).toEqual([60, false]);
  expect(again.messages.map((each) => each.text)).toEqual(
    Array.from({ length: 60 }, (_, count) => `message ${count}`),
  );
  session.follower.close();
});

test("a session that is ended elsewhere ends here", async () => {
  const told: AntiphonError[] = [];
  const session = await newSession(undefined, { signedOut: (error) => told.push(error) });
  await newThread(session);
  await session.stubs.auth.revokeSession({ sessionId: session.tokens.sessionId });
  await until(() => told.length > 0);
  expect(told[0]!.reason).toMatch(/SESSION_REVOKED|CREDENTIALS_INVALID/);
});
