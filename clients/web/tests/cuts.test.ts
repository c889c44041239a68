// What filters took out, found for the message that it was taken out of, in whichever order both come.

import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { AntiphonError } from "../src/antiphon";
import { Transcript } from "../src/antiphon/transcript";
import { FilterAction, FilterStage, ScreeningSchema } from "../src/gen/antiphon/context/v1/filter_pb";
import { MessageRole, MessageSchema, PartSchema } from "../src/gen/antiphon/context/v1/message_pb";
import { sentenceOf, timelessOf } from "../src/page/words";

const author = "users/user_anna";
const CUT = [{ filter: "keys", categories: ["aws_key"] }];

const cut = (turnId: string, more: object = {}) =>
  create(ScreeningSchema, {
    screeningId: `scr_${turnId}`,
    ...{ author, turnId, stage: FilterStage.MESSAGE, action: FilterAction.SANITISE },
    verdicts: [{ filter: "keys", action: FilterAction.SANITISE, categories: ["aws_key"] }, { filter: "words", action: FilterAction.FLAG }],
    ...more,
  });
const message = (messageId: string, text: string, role = MessageRole.USER) =>
  create(MessageSchema, { messageId, author, role, parts: [create(PartSchema, { content: { case: "text", value: text } })] });
const removedOf = (transcript: Transcript) => Object.fromEntries(transcript.messages.map(({ id, removed }) => [id, removed]));

test("it is the turn's question that lost something, and not its answer", () => {
  for (const isFirst of [true, false]) {
    const transcript = new Transcript();
    if (isFirst) transcript.screen(cut("turn_1"), 3n);
    transcript.post(message("msg_1", "[aws_key]"), 4n, "turn_1");
    transcript.post(message("msg_2", "[aws_key]", MessageRole.ASSISTANT), 5n, "turn_1");
    if (!isFirst) transcript.screen(cut("turn_1"), 3n);
    transcript.screen(cut("turn_1"), 3n);
    expect(removedOf(transcript)).toEqual({ msg_1: CUT, msg_2: [] });
  }
});

test("an answer that was masked says so", () => {
  const transcript = new Transcript();
  transcript.post(message("msg_2", "[aws_key]", MessageRole.ASSISTANT), 5n, "turn_1");
  transcript.screen(cut("turn_1", { stage: FilterStage.ANSWER }), 6n);
  expect(removedOf(transcript)).toEqual({ msg_2: CUT });
});

test("without a turn it is the next that its author says, also when pages come backwards", () => {
  const all: [string, string, bigint][] = [
    ["msg_0", "before [aws_key]", 2n],
    ["msg_1", "this has [aws_key]", 4n],
    ["msg_2", "and by hand [aws_key]", 6n],
  ];
  for (const order of [all, all.toReversed()]) {
    const transcript = new Transcript();
    transcript.screen(cut(""), 3n);
    for (const [id, text, offset] of order) transcript.post(message(id, text), offset, "");
    expect(removedOf(transcript)).toEqual({ msg_0: [], msg_1: CUT, msg_2: [] });
  }
});

test("what was refused, flagged or of a tool is no message's", () => {
  const transcript = new Transcript();
  transcript.post(message("msg_1", "[aws_key]"), 4n, "turn_1");
  transcript.screen(cut("turn_1", { refused: true }), 3n);
  transcript.screen(cut("turn_1", { action: FilterAction.FLAG }), 3n);
  transcript.screen(cut("turn_1", { toolCallId: "tool_1" }), 3n);
  expect(removedOf(transcript)).toEqual({ msg_1: [] });
});

test("a tool's result that lost something says so", () => {
  const transcript = new Transcript();
  const { calls } = transcript.turnOf("turn_1");
  calls.apply({ payload: { case: "toolCallProposed", value: { toolCallId: "tool_1", position: 0n } } } as never);
  transcript.screen(cut("turn_1", { toolCallId: "tool_1" }), 3n);
  transcript.screen(cut("turn_1", { toolCallId: "tool_2" }), 3n);
  expect(calls.all.map(({ id, removed }) => [id, removed])).toEqual([["tool_1", CUT]]);
});

test("a filter that can't look is no server that is away; both say when to come again", () => {
  const error = new AntiphonError(Code.Unavailable, "", { reason: "FILTER_UNAVAILABLE", variables: { filter: "mod" }, retryAfterMs: 1000 });
  expect([error.isAway, error.isRefusal]).toEqual([false, false]);
  expect(sentenceOf(error)).toBe(`${timelessOf(error)} Try again in 1.0 s.`);
  const throttled = new AntiphonError(Code.ResourceExhausted, "", { reason: "THROTTLED", retryAfterMs: 42_000 });
  expect(sentenceOf(throttled)).toMatch(/ Try again in 42 s\.$/);
  const odd = { filter: "a\u202e", categories: "card,made_up\u200b" };
  const refused = new AntiphonError(Code.FailedPrecondition, "", { reason: "CONTENT_BLOCKED", variables: odd });
  expect(sentenceOf(refused)).toContain("The filter a⟨U+202E⟩ refuses this, because of a card number, made up⟨U+200B⟩.");
});
