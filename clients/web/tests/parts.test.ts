// The small parts that the promises rest on.

import { readFileSync } from "node:fs";
import { create, fromBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test, vi } from "vitest";
import { Backoff } from "../src/antiphon/backoff";
import { Company } from "../src/antiphon/company";
import { AntiphonError, errorOf } from "../src/antiphon/errors";
import { Place } from "../src/antiphon/place";
import { Text } from "../src/antiphon/text";
import { MemoryTokenStore, TokenSource } from "../src/antiphon/tokens";
import { Transcript } from "../src/antiphon/transcript";
import { rounded } from "../src/page/flags/words";
import { sentenceOf } from "../src/page/words";
import { TurnView } from "../src/antiphon/turn";
import { TokenPairSchema } from "../src/gen/antiphon/auth/v1/auth_pb";
import { MessageRole, MessageSchema, PartSchema } from "../src/gen/antiphon/context/v1/message_pb";
import { DeliveryOutcome, DeliverySchema, WebhookSchema } from "../src/gen/antiphon/dispatcher/v1/webhook_pb";
import { WorkerSchema, WorkerState } from "../src/gen/antiphon/dispatcher/v1/worker_service_pb";
import { TurnSchema } from "../src/gen/antiphon/dispatcher/v1/turn_pb";
import { EventSchema, NotificationKind, TurnFinishedSchema, TurnState, WebhookDisabledReason } from "../src/gen/antiphon/events/v1/event_pb";
import { HandoffSchema } from "../src/gen/antiphon/events/v1/handoff_pb";
import { EventBatchSchema } from "../src/gen/antiphon/events/v1/stream_pb";
import { UsageSchema } from "../src/gen/antiphon/integration/v1/model_pb";
import { ErrorInfoSchema } from "../src/gen/google/rpc/error_details_pb";
import { Allowance } from "../src/page/markdown/allowance";
import { settled } from "../src/page/markdown/code";
import { coloured } from "../src/page/markdown/colours";
import { linksOf, tokensOf } from "../src/page/markdown/lexing";
import { typeset } from "../src/page/markdown/mathml";
import { codeOf, depthsOf, isOpen, piecesOf as readPieces } from "../src/page/markdown/pieces";
import { isSafe } from "../src/page/markdown/markdown";
import { consumed, described, inWords, leftOut, titleOf } from "../src/page/words";
import { cameBack, stateOf, toldOf, whatOf } from "../src/page/webhooks/words";
import { standingOf } from "../src/page/workers/states";

describe("a text from pieces", () => {
  test("takes each byte once, whatever comes twice", () => {
    const text = new Text();
    expect(text.append(0n, "Grüße")).toBe(true);
    expect(text.append(0n, "Grüße")).toBe(false);
    expect(text.append(4n, "ße an")).toBe(true); // behind "Grü", which has 4 bytes
    expect(`${text}`).toBe("Grüße an");
  });

  test("does not guess what stands in a hole", () => {
    const text = new Text();
    expect(text.append(5n, "later")).toBe(false);
    text.replace("the whole");
    expect(`${text}`).toBe("the whole");
    expect(text.append(9n, " more")).toBe(false);
  });
});

describe("a stream that breaks", () => {
  test("is opened again for every reason that the guide has", () => {
    const guide = readFileSync("../../docs/guides/streams.md", "utf8");
    const row = guide.split("\n").find((line) => line.includes("connect again with back-off"))!;
    const reasons = [...row.split("reason is")[1]!.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
    expect(reasons).toContain("SERVICE_UNAVAILABLE");
    for (const reason of reasons) {
      expect([reason, new AntiphonError(Code.Unavailable, "", { reason }).isResumable]).toEqual([reason, true]);
    }
  });
});

describe("a title", () => {
  test("is the first line, cut between words where it is long", () => {
    expect(titleOf("  Good day\nand more")).toBe("Good day");
    const long = "Write a long story about a lighthouse keeper, with many details.";
    expect(titleOf(long)).toBe("Write a long story about a lighthouse keeper, with many…");
    expect(titleOf("x".repeat(80))).toBe(`${"x".repeat(60)}…`);
  });
});

function batch(cursor: string, ...ranges: [number, number][]) {
  const events = ranges.map(([first, last]) =>
    create(EventSchema, { firstOffset: BigInt(first), lastOffset: BigInt(last) }),
  );
  return create(EventBatchSchema, { cursor, events });
}

describe("a place in a log", () => {
  test("takes what is new, also where it covers what was folded", () => {
    const place = new Place("conversations/conv_1");
    expect(place.take(batch("a", [1, 1], [2, 2]))).toHaveLength(2);
    expect(place.take(batch("b", [2, 2], [3, 3]))).toHaveLength(1);
    expect(place.take(batch("c", [2, 9]))).toHaveLength(1);
    expect(place.offset).toBe(9n);
    expect(place.watch("1").cursor).toBe("c");
  });

  test("refuses a hole", () => {
    const place = new Place("conversations/conv_1");
    place.take(batch("a", [1, 1]));
    expect(() => place.take(batch("b", [3, 3]))).toThrow("expected the event at offset 2");
    expect(place.cursor).toBe("a");
  });

  test("does not look for holes where kinds are left out", () => {
    const place = new Place("conversations/conv_1", { kinds: [10] });
    place.take(batch("a", [1, 1]));
    expect(place.take(batch("b", [7, 7]))).toHaveLength(1);
  });
});

test("pauses double, and stay short for as long as a restart takes", () => {
  const backoff = new Backoff(100, 5_000, () => 1);
  const pauses = Array.from({ length: 25 }, () => backoff.next());
  expect(pauses.slice(0, 5)).toEqual([100, 200, 400, 800, 800]);
  expect(pauses.slice(20)).toEqual([5_000, 5_000, 5_000, 5_000, 5_000]);
  backoff.ease();
  expect(backoff.next()).toBe(400);
});

test("an error has the reason that the server gave", () => {
  const info = { reason: "NOT_FOUND", domain: "antiphon", metadata: { resource: "conv_1" } };
  const details = [{ desc: ErrorInfoSchema, value: info }];
  const error = errorOf(new ConnectError("nothing", Code.NotFound, undefined, details));
  expect(error).toMatchObject({ reason: "NOT_FOUND", variables: { resource: "conv_1" } });
  expect(errorOf(new TypeError("Failed to fetch")).isAway).toBe(true);
});

describe("tokens", () => {
  const pair = (name: string) =>
    create(TokenPairSchema, {
      accessToken: name,
      refreshToken: `r-${name}`,
      sessionId: "sess_1",
      accessExpireTime: { seconds: 1_000n },
    });
  const start = { accessToken: "", accessExpiresAt: 0, refreshToken: "r-0", sessionId: "sess_1" };

  test("are renewed once for all who ask", async () => {
    let calls = 0;
    const refresh = async () => pair(`${(calls += 1)}`);
    const source = new TokenSource(refresh, new MemoryTokenStore(), undefined, () => 100_000);
    source.take(start);
    const got = await Promise.all([source.get(), source.get(), source.get()]);
    expect(got).toEqual(["1", "1", "1"]);
    expect(await source.get()).toBe("1");
    source.reject("1");
    expect(await source.get()).toBe("2");
  });

  test("that somebody else renewed are taken", async () => {
    const store = new MemoryTokenStore();
    const refresh = async () => pair("mine");
    const source = new TokenSource(refresh, store, undefined, () => 100_000);
    source.take(start);
    const theirs = { ...start, accessToken: "theirs", accessExpiresAt: 900_000 };
    store.save(theirs);
    expect(await source.get()).toBe("theirs");
  });

  test("that are refused end the session, and are forgotten", async () => {
    const told: string[] = [];
    const store = new MemoryTokenStore();
    const refuse = async () => {
      throw new AntiphonError(Code.Unauthenticated, "gone", { reason: "SESSION_REVOKED" });
    };
    const source = new TokenSource(refuse, store, (error) => told.push(error.reason));
    source.take(start);
    await expect(source.get()).rejects.toThrow("gone");
    expect(told).toEqual(["SESSION_REVOKED"]);
    expect(await store.load()).toBeUndefined();
  });

  test("work on while the server is away", async () => {
    let now = 100_000;
    const away = async () => {
      throw new AntiphonError(Code.Unavailable, "away");
    };
    const source = new TokenSource(away, new MemoryTokenStore(), undefined, () => now);
    source.take({ ...start, accessToken: "old", accessExpiresAt: 200_000 });
    now = 195_000; // due, and not over
    expect(await source.get()).toBe("old");
    now = 200_000;
    await expect(source.get()).rejects.toThrow("away");
  });
});

test("who types stops when they said so, or spoke, or went", () => {
  const company = new Company("users/me");
  const say = (actor: string, payload: unknown) =>
    company.take(create(EventSchema, { actor, ephemeral: true, payload: payload as never }));
  say("users/me", { case: "typingChanged", value: { typing: true } });
  expect(company.writers).toEqual([]);
  say("users/a", { case: "typingChanged", value: { typing: true } });
  expect([company.writers, company.here]).toEqual([["users/a"], ["users/a"]]);
  say("users/a", { case: "messagePosted", value: {} });
  expect([company.writers, company.here]).toEqual([[], ["users/a"]]);
  say("users/a", { case: "presenceChanged", value: { present: false } });
  expect(company.here).toEqual([]);
  company.close();
});

test("links lead to pages and mailboxes alone", () => {
  expect(["https://a.example/", "http://a.example", "mailto:a@b.example"].every(isSafe)).toBe(true);
  const bad = ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "data:text/html,x", "/here", "x", "vbscript:x", "file:///etc"];
  expect(bad.filter(isSafe)).toEqual([]);
});

test("what has a price of its own is told of what was consumed", () => {
  const usage = { inputTokens: 1200n, outputTokens: 300n, cost: { currency: "USD", micros: 20_000n } };
  expect(consumed(create(UsageSchema, usage))).toBe("1,500 tokens · $0.02");
  const kinds = { cachedTokens: 1000n, reasoningTokens: 250n, audioInputTokens: 3n, audioOutputTokens: 4n };
  expect(consumed(create(UsageSchema, { ...usage, ...kinds }))).toBe(
    "1,500 tokens (1,000 cached, 250 reasoning, 7 audio) · $0.02",
  );
});

test("what was left out is told, if anything was", () => {
  expect([0, 1, 12].map(leftOut)).toEqual(["", "1 older message left out", "12 older messages left out"]);
  expect([0, 1, 2].map(described)).toEqual(["", "1 attachment described to the model in words", "2 attachments described to the model in words"]);
});

test("an answer that is older than events makes nobody forget that a turn waits for people, or waits no more", () => {
  const turn = new TurnView("turn_1");
  const before = create(TurnSchema, { turnId: "turn_1", state: TurnState.RUNNING });
  const handoff = create(HandoffSchema, { handoffId: "hand_1_1", heldFor: "echo" });
  const during = create(TurnSchema, { ...before, handoff });
  turn.assign(during);
  expect(turn.handoff).toBe(handoff);
  turn.assign(before);
  expect(turn.handoff).toBeUndefined();
  turn.apply(create(EventSchema, { payload: { case: "turnHandedOff", value: { handoff } } }));
  turn.assign(before);
  expect(turn.handoff?.handoffId).toBe("hand_1_1");
  turn.apply(create(EventSchema, { payload: { case: "handoffEnded", value: { handler: "echo", note: "it is known" } } }));
  turn.assign(during);
  expect(turn.handoff).toBeUndefined();
  expect(turn.status).toBe("a person has let it go on: it is known");
});

describe("what a newer server says", () => {
  const newer = new Uint8Array([0xa2, 0x38, 0x03, 0x0a, 0x01, 0x78]); // field 900, a message with a text

  test("is passed over by a turn, which ends in a state to come", () => {
    const turn = new TurnView("turn_1");
    const delta = { messageId: "m", text: "a", position: 0n };
    turn.apply(create(EventSchema, { payload: { case: "textDeltaAppended", value: delta } }));
    const event = fromBinary(EventSchema, newer);
    expect(event.payload.case).toBeUndefined();
    turn.apply(event);
    expect([turn.text, turn.isDone]).toEqual(["a", false]);
    const state = 99 as TurnState;
    turn.apply(create(EventSchema, { payload: { case: "turnFinished", value: create(TurnFinishedSchema, { state }) } }));
    expect(turn.isDone).toBe(true);
  });

  test("is in its place: what comes behind it is no gap", () => {
    const place = new Place("conversations/conv_1", { offset: 0n });
    const events = [1n, 2n].map((at) => Object.assign(fromBinary(EventSchema, newer), { firstOffset: at, lastOffset: at }));
    expect(place.take(create(EventBatchSchema, { events, cursor: "c" }))).toHaveLength(2);
  });

  test("is shown as what it is, and not as nothing", () => {
    expect(inWords(fromBinary(PartSchema, newer))).toContain("too old");
    const image = { uri: "https://x.example/y.png" };
    expect(inWords(create(PartSchema, { content: { case: "image", value: image } }))).toBe(`image: ${image.uri}`);
  });
});

describe("Markdown", () => {
  const falling = Array.from({ length: 40 }, (_, at) => `${">".repeat(40 - at)}a`).join("\n");
  const rising = Array.from({ length: 300 }, (_, at) => `${" ".repeat(2 * at)}- a`).join("\n");
  const tooMuch: Record<string, string> = {
    quotes: `${">".repeat(2_000)} x`,
    "quotes in few lines": falling,
    "quotes with lists": ">- a\nb\n".repeat(8_000),
    lists: `${"- ".repeat(3_000)}x`,
    numbers: "1. ".repeat(5_000),
    "lists below lists": rising,
    "a table's empty cells": `${"|a".repeat(2_500)}|\n${"|-".repeat(2_500)}|\n${"|a|\n".repeat(2_500)}`,
    length: "word ".repeat(20_000),
  };
  const slow: Record<string, string> = {
    spaces: `a${" ".repeat(59_000)}b`,
    mailboxes: `${"a.".repeat(29_000)}@`,
    emphasis: "_a".repeat(29_000),
    pictures: "!".repeat(59_000),
    brackets: "[".repeat(59_000),
    links: `${"[".repeat(9_000)}a${"](b)".repeat(9_000)}`,
  };

  test.each(Object.keys(tooMuch))("gives up on %s, soon", (name) => {
    const began = performance.now();
    expect(tokensOf(tooMuch[name]!)).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test.each(Object.keys(slow))("does not take long over %s", (name) => {
    const began = performance.now();
    tokensOf(slow[name]!);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test("keeps each line of a paragraph that is read in pieces", () => {
    const lines = Array.from({ length: 900 }, (_, at) => `**${at}** is a number`);
    const clock = vi.spyOn(performance, "now").mockReturnValue(0); // however busy the machine is
    const [paragraph] = tokensOf(lines.join("\n"))!;
    clock.mockRestore();
    const pieces = (paragraph as { tokens?: { type: string }[] }).tokens!;
    expect(pieces.filter(({ type }) => type === "strong")).toHaveLength(900);
    expect(pieces.filter(({ type }) => type === "br")).toHaveLength(899);
  });
});

describe("a long text", () => {
  const piecesOf = (text: string) => readPieces(text).pieces;
  const paragraphs = Array.from({ length: 300 }, (_, at) => `Paragraph ${at} ${"of words ".repeat(9)}\n\n`).join("");
  const code = `\`\`\`python\n${"a = 1\n\n".repeat(9_000)}\`\`\`\n`;
  const list = Array.from({ length: 400 }, (_, at) => `${at + 1}. item of a list\n\n`).join("");

  test("is cut, and its pieces are the text", () => {
    for (const text of [paragraphs, code, list, paragraphs + code + list]) expect(piecesOf(text).join("")).toBe(text);
    expect(piecesOf(paragraphs).length).toBeGreaterThan(5);
    expect(piecesOf(list)).toEqual([list]); // one list, with one numbering
  });

  test("has the same cuts while it grows", () => {
    const whole = piecesOf(paragraphs + code + paragraphs);
    for (let end = 5_000; end < whole.join("").length; end += 7_001) {
      const pieces = piecesOf(whole.join("").slice(0, end));
      expect(pieces.slice(0, -1)).toEqual(whole.slice(0, pieces.length - 1));
    }
  });

  test("of code is code, however long, and also before its end", () => {
    const [, piece] = piecesOf(`${paragraphs.slice(0, 200)}\n\n${code}`);
    expect(codeOf(piece!)).toEqual({ language: "python", text: "a = 1\n\n".repeat(9_000).slice(0, -1) });
    expect(codeOf(piece!.slice(0, 5_000))?.text).toBe(piece!.slice(10, 5_000));
    expect(codeOf(`${code}and words`)).toBeUndefined();
    expect(codeOf("no code\n")).toBeUndefined();
  });

  test("has its links defined for each piece, once, and shows the definitions nowhere", () => {
    const { pieces, definitions } = readPieces(`[a]: https://a.example\n\n${paragraphs}\n\n${code}\n\n[b]: https://b.example\n`);
    expect(pieces.join("")).not.toContain("example\n\n[b]: https://b.example\n\n[");
    const links = linksOf(definitions);
    expect(Object.keys(links)).toEqual(["a", "b"]);
    expect(JSON.stringify(tokensOf("see [this][a]", links))).toContain("https://a.example");
    const block = pieces.find((piece) => piece.startsWith("```"))!;
    expect(codeOf(block)?.language).toBe("python"); // nothing was put behind its end
  });

  test("defines no more links than each piece can be read with, and none inside of code", () => {
    const many = "[a1]: http://x.example/zzzzzzzzzzzz\n".repeat(1_500);
    expect(readPieces(`${many}\n${paragraphs}`).definitions.split("\n")).toHaveLength(500);
    expect(readPieces(`${paragraphs}\`\`\`yaml\n[a]: b\n\`\`\`\n`).definitions).toBe("");
  });

  test("of code is known to go on until its end has come", () => {
    const [open, closed] = ["```c\nint a;\n``", "```c\nint a;\n```\n"];
    expect([isOpen("```c"), isOpen(open!), isOpen(closed!), isOpen("    indented")]).toEqual([true, true, false, false]);
    expect([isOpen("```c\n  ````"), isOpen("~~~c\n```")]).toEqual([false, true]);
  });

  test("of code that grows is coloured anew once in many letters", () => {
    const lines = "a = 1\n".repeat(300);
    const ends = Array.from({ length: 1_000 }, (_, at) => settled(lines.slice(0, at)));
    expect(new Set(ends).size).toBe(2);
    expect(ends.every((end, at) => end <= at)).toBe(true);
  });

  test("has headings without a level left out", () => {
    expect(depthsOf("# a\n\n### b\n\n#c\n")).toBe("13");
  });
});

describe("a formula", () => {
  const found = (text: string) => {
    const clock = vi.spyOn(performance, "now").mockReturnValue(0); // however busy the machine is
    const tokens = JSON.stringify(tokensOf(text));
    clock.mockRestore();
    return tokens.match(/"tex":"[^"]*"/g) ?? [];
  };

  test("stands between its marks, and prices are none", () => {
    expect(found("so $x^2$ and \\(y\\), and\n\n$$z$$")).toEqual(['"tex":"x^2"', '"tex":"y"', '"tex":"z"']);
    expect(found("**bold** $x^2$, $y$ $z$")).toEqual(['"tex":"x^2"', '"tex":"y"', '"tex":"z"']);
    expect(found("a\n$$x$$\nb")).toEqual(['"tex":"x"']);
    expect(tokensOf("a$$x$$")).toHaveLength(1); // in its line
    expect(found("from $5 to $6, or US$ 7 and $8")).toEqual([]);
    expect(found("`$x$` and\n\n```\n$$y$$\n```")).toEqual([]);
  });

  test("is set within bounds, and is shown as written beyond them", () => {
    const matrix = (size: number) => `\\begin{matrix}${"&".repeat(size)}${"\\\\".repeat(size)}\\end{matrix}`;
    const defined = `\\def\\a{${"\\frac x y".repeat(330)}}${"\\a ".repeat(300)}`;
    const renamed = `\\newcommand{\\a}{x}\\a`;
    const began = performance.now();
    for (const tex of [matrix(300), matrix(1_200), defined, renamed]) {
      expect(typeset(tex, true, new Allowance())).toBeUndefined();
    }
    expect(performance.now() - began).toBeLessThan(2_000);
    for (const tex of ["\\definecolor{a}{HTML}{FF0000} x", "\\deg x", "\\left(x\\right)", matrix(30)]) {
      expect([tex, typeset(tex, true, new Allowance()) !== undefined]).toEqual([tex, true]);
    }
  });

  test("takes of what the whole message may take", () => {
    const allowance = new Allowance();
    const set = Array.from({ length: 9_000 }, () => typeset("x^2", false, allowance) !== undefined);
    expect(set.indexOf(false)).toBeGreaterThan(1_000);
    expect(set.slice(-1)).toEqual([false]);
    expect(found("$x$ ".repeat(5_000))).toHaveLength(500);
  });

  test("that never ends costs little", () => {
    for (const text of ["$".repeat(50_000), "$a ".repeat(15_000), "\\(".repeat(15_000), "$$\n".repeat(15_000)]) {
      const began = performance.now();
      tokensOf(text);
      expect(performance.now() - began).toBeLessThan(1_000);
    }
  });
});

test("what takes long to colour is not coloured for ever", () => {
  const allowance = new Allowance();
  const slow = "a b ".repeat(2_000);
  let done = 0;
  const began = performance.now();
  while (done < 500 && allowance.timed(() => coloured(slow, "c"))) done += 1;
  expect(done).toBeLessThan(500);
  expect(performance.now() - began).toBeLessThan(3_000);
});

describe("what a budget's refusal means", () => {
  const told = { budget: "team", unit: "EUR", parent: "ws_00000001", limit: "5", spent: "4.5", reserved: "0.25", needed: "0.5" };
  const words = (variables: Record<string, string>, retryAfterMs?: number) =>
    sentenceOf(new AntiphonError(Code.ResourceExhausted, "", { reason: "BUDGET_EXCEEDED", variables: { ...told, ...variables }, retryAfterMs }));

  test("it has all amounts, and says that waiting does not help", () => {
    const said = words({});
    expect(said).toContain("The budget team has too little left. Of €5.00, €4.50 went already, and €0.25 may go");
    expect(said).toContain("this may take €0.50. Waiting does not help: ask for less, choose a model that costs less, or have an admin");
  });

  test("it names the API key that it limits", () => {
    expect(words({ scope: "API_KEY", subject: "key_1" })).toContain("The budget team of the API key key_1 has too little left");
  });

  test("it says when to try again, or when the budget begins anew", () => {
    expect(words({}, 5_000)).toContain("Try again in 5.0 s, when answers under way may have left enough; or ask for less");
    expect(words({ resets_at: "2026-12-01T00:00:00Z" }, 3_600_000)).toMatch(/It begins anew .*(Nov|Dec).*: wait until then, ask for less/);
  });

  test("what is spent waits for the next window, however soon that begins", () => {
    const said = words({ spent: "4.75", reserved: "0", resets_at: "2026-12-01T00:00:00Z" }, 12_000);
    expect(said).toMatch(/It begins anew .*(Nov|Dec).*: wait until then, ask for less/);
    expect(said).not.toContain("when answers");
  });

  test("tokens are no money", () => {
    expect(words({ unit: "tokens", limit: "20000" })).toContain("Of 20,000 tokens, ");
  });

  test("the installation's budgets are its operators', who alone know the sums", () => {
    const error = (retryAfterMs?: number) =>
      sentenceOf(
        new AntiphonError(Code.ResourceExhausted, "", { reason: "BUDGET_EXCEEDED", variables: { budget: "all", parent: "global" }, retryAfterMs }),
      );
    expect(error()).toBe("The installation's budget all has too little left. Waiting does not help: ask for less, or have an operator raise it.");
    expect(error(5_000)).toContain("too little left. Try again in 5.0 s; or ask for less, or have an operator raise it.");
  });

  test("a tool's price is said by an admin, and no model is to blame", () => {
    const error = new AntiphonError(Code.FailedPrecondition, "", { reason: "PRICE_UNKNOWN", variables: { kind: "tool", target: "antiphon.time" } });
    expect(sentenceOf(error)).toContain("what antiphon.time costs is not known. Have an admin say its price");
  });

  test("a price in another currency is no unknown one", () => {
    const variables = { kind: "model", target: "a/b", budget: "team", currency: "EUR", price_currency: "USD" };
    const said = sentenceOf(new AntiphonError(Code.FailedPrecondition, "", { reason: "PRICE_UNKNOWN", variables }));
    expect(said).toContain("a/b costs USD, and the budget team counts EUR. Choose another model");
  });
});

describe("turns that a turn has asked for", () => {
  const event = (turnId: string, value: object) => create(EventSchema, { turnId, ...value });
  const grown = (parentTurnId: string, argumentsJson = '{"turn_id": "turn_child"}') => {
    const transcript = new Transcript();
    const asked = { case: "toolCallProposed", value: { toolCallId: "tool_1", tool: "handlers.tree", argumentsJson } };
    const root = transcript.turnOf("turn_root");
    root.apply(event("turn_root", { payload: asked }));
    const accepted = { case: "turnAccepted", value: { handler: "tree", messageId: "msg_q", parentTurnId } };
    transcript.turnOf("turn_child").apply(event("turn_child", { payload: accepted }));
    return { transcript, root };
  };

  test("stand in the call that began them, and run as nobody else's", () => {
    const { transcript, root } = grown("turn_root");
    transcript.turn("turn_child")!.apply(event("turn_child", { payload: { case: "turnStarted", value: {} } }));
    expect(transcript.descendantsOf(root).map(({ turn }) => turn.turnId)).toEqual(["turn_child"]);
    expect(transcript.open).toEqual([]);
  });

  test("are none where a call names a turn that is not its own, or no turn", () => {
    for (const { transcript, root } of [grown("turn_other"), grown(""), grown("turn_root", "{"), grown("turn_root", "null")]) {
      expect(transcript.descendantsOf(root)).toEqual([]);
    }
  });

  test("say nothing to the conversation: people's asides stay", () => {
    const { transcript } = grown("turn_root");
    const say = (messageId: string, author: string, role: MessageRole, aside: boolean) =>
      transcript.post(create(MessageSchema, { messageId, author, role, aside }), 1n, "turn_child");
    say("msg_q", "handlers/team", MessageRole.USER, true);
    say("msg_a", "handlers/tree", MessageRole.ASSISTANT, true);
    say("msg_p", "users/user_1", MessageRole.USER, true);
    say("msg_r", "handlers/team", MessageRole.ASSISTANT, false);
    expect(transcript.messages.map(({ id }) => id)).toEqual(["msg_p", "msg_r"]);
    expect(transcript.size).toBe(4);
  });

  test("say that they wait for a worker until they have one", () => {
    const turn = new TurnView("turn_1");
    const status = "waiting for a worker of tree";
    turn.apply(event("turn_1", { payload: { case: "turnProgressed", value: { status } } }));
    expect(turn.status).toBe(status);
    turn.apply(event("turn_1", { payload: { case: "turnAssigned", value: { deployment: "team", version: "2" } } }));
    expect([turn.status, turn.worker?.deployment, turn.worker?.version]).toEqual(["", "team", "2"]);
  });
});

describe("a worker's state", () => {
  const of = (state: WorkerState, more = {}) => standingOf(create(WorkerSchema, { state, ...more }));

  test("is a word, and why it is given nothing", () => {
    expect(of(WorkerState.READY)).toEqual(["ready", ""]);
    expect(of(WorkerState.BUSY)[0]).toBe("busy");
    expect(of(WorkerState.DRAINING)[0]).toBe("draining");
    const quarantineEndTime = { seconds: 1_000n, nanos: 0 };
    expect(of(WorkerState.QUARANTINED, { quarantineEndTime })[0]).toMatch(/^quarantined until \d+.\d\d.\d\d/);
    expect(of(99 as WorkerState)[0]).toBe("unknown");
  });
});

describe("a webhook", () => {
  const hook = (fields: object) => create(WebhookSchema, fields);

  test("says how it stands, and what was not kept", () => {
    expect(stateOf(hook({}))).toEqual(["on", ""]);
    expect(stateOf(hook({ disabled: true, disabledReason: WebhookDisabledReason.BY_HAND }))).toEqual(["disabled", ""]);
    const gone = { disabled: true, disabledReason: WebhookDisabledReason.GONE, droppedCount: 1200n };
    expect(stateOf(hook(gone))).toEqual(["disabled", "It answered that it is gone. 1,200 of what it should have been told was not kept."]);
    const now = { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 0 };
    expect(stateOf(hook({ failingSince: now }))[1]).toMatch(/^It has taken nothing since .+\.$/);
    expect(stateOf(hook({ failingSince: now, fullSince: now }))).toEqual(["full", expect.stringMatching(/ no more is kept\.$/)]);
  });

  test("says what it is told of, and what came of it", () => {
    expect(toldOf(hook({ kinds: [NotificationKind.TURN_HANDED_OFF, 99], handlers: ["a\u202e"] }))).toBe(
      "Told when an answer is left to people, or something else happens. Only answers by a⟨U+202E⟩.",
    );
    const waits = create(DeliverySchema, { message: { type: "turn.handed_off", data: { handler: "people" } } });
    expect(whatOf(waits)).toBe("people: left to people");
    expect(whatOf(create(DeliverySchema, { message: { type: "webhook.test" } }))).toBe("webhook.test");
    expect(cameBack({ outcome: 99 as DeliveryOutcome, statusCode: 0 })).toBe("something newer than this page");
  });
});

test("figures are as people say them: the larger, the fewer digits", () => {
  expect([3.95, 3.4, 12.6, 0.123, 1].map(rounded)).toEqual(["4", "3.4", "13", "0.12", "1"]);
});
