// The calls of tools in a turn, as its events tell them.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Part } from "../gen/antiphon/context/v1/message_pb";
import { type Event, ToolCallOutcome } from "../gen/antiphon/events/v1/event_pb";
import type { Removed } from "./cuts";
import { type AntiphonError, errorOfStatus } from "./errors";
import { type Question, type Reply, questionOf } from "./questions";

/** How a call of a tool stands. */
export type CallState = "waits" | "approved" | "runs" | "asks" | "succeeded" | "failed" | "denied" | "stopped" | "unknown";

/** What a person decided about a call; `reason` is what they said to a denial. */
export interface Decision {
  approved: boolean;
  by: string;
  reason: string;
}

/** How a call ended. `tookMs` is 0 where it was not made. */
export interface CallEnd {
  outcome: ToolCallOutcome;
  parts: Part[];
  omittedBytes: number;
  /** Whether the whole result can be read. */
  isKept: boolean;
  tookMs: number;
  error: AntiphonError | undefined;
}

/** A call that a model asked for. `position` is how many bytes of the answer stand before it. */
export interface ToolCall {
  id: string;
  tool: string;
  arguments: string;
  /** What a decision is bound to. */
  sha256: Uint8Array;
  asks: boolean;
  position: number;
  decision: Decision | undefined;
  startMs: number;
  /** What its tool has asked people. */
  questions: Question[];
  end: CallEnd | undefined;
  /** What filters took out of what came of it. */
  removed: Removed[];
}

const ENDINGS: Partial<Record<ToolCallOutcome, CallState>> = {
  [ToolCallOutcome.SUCCEEDED]: "succeeded",
  [ToolCallOutcome.DENIED]: "denied",
  [ToolCallOutcome.CANCELLED]: "stopped",
  [ToolCallOutcome.UNKNOWN]: "unknown",
};

/** How it stands, in a turn that may be over: then nothing waits, and what ran has no end. */
export function stateOf(call: ToolCall, isOver: boolean): CallState {
  const { end, decision } = call;
  if (end?.outcome === ToolCallOutcome.UNSPECIFIED) return end.error ? "failed" : "succeeded"; // told by an old server
  if (end) return ENDINGS[end.outcome] ?? "failed";
  if (call.startMs && isOver) return "unknown";
  if (call.startMs) return call.questions.some(({ reply }) => !reply) ? "asks" : "runs";
  if (decision && !decision.approved) return "denied";
  if (isOver) return "stopped";
  return decision || !call.asks ? "approved" : "waits";
}

const DELEGATED = "handlers.";

/** The turn that a call had begun, as the call itself says; empty if it is a call of a tool. */
export function begunBy(call: ToolCall): string {
  if (!call.tool.startsWith(DELEGATED)) return "";
  try {
    const { turn_id: turnId } = JSON.parse(call.arguments) as { turn_id?: unknown };
    return typeof turnId === "string" ? turnId : "";
  } catch {
    return "";
  }
}

/** A turn's calls, in the order they were proposed. Events may come twice. */
export class ToolCalls {
  readonly all: ToolCall[] = [];

  /** Forget them. */
  erase(): void {
    this.all.length = 0;
  }

  /** Take in one event of the turn; the others tell of no call. */
  apply({ payload, time, actor }: Event): void {
    switch (payload.case) {
      case "toolCallProposed": {
        const { toolCallId, tool, argumentsJson, argumentsSha256: sha256, asks, position } = payload.value;
        Object.assign(this.of(toolCallId), { tool, arguments: argumentsJson, sha256, asks, position: Number(position) });
        break;
      }
      case "toolCallDecided": {
        const { toolCallId, approved, reason } = payload.value;
        this.decide(toolCallId, { approved, by: actor, reason });
        break;
      }
      case "toolCallStarted": {
        const { toolCallId, tool, argumentsJson } = payload.value;
        const startMs = time ? timestampMs(time) : Date.now();
        Object.assign(this.of(toolCallId), { tool, arguments: argumentsJson, startMs });
        break;
      }
      case "toolCallQuestionAsked": {
        const { questions } = this.of(payload.value.toolCallId);
        const asked = questionOf(payload.value);
        if (!questions.some(({ id }) => id === asked.id)) questions.push(asked);
        break;
      }
      case "toolCallQuestionAnswered": {
        const { toolCallId, answer } = payload.value;
        if (answer) this.answer(toolCallId, answer.questionId, { ...answer, by: actor, content: answer.contentJson });
        break;
      }
      case "toolCallFinished": {
        const { toolCallId, outcome, result: parts, omittedBytes, durationMs, error, kept } = payload.value;
        this.of(toolCallId).end = {
          outcome,
          parts,
          omittedBytes: Number(omittedBytes),
          isKept: kept,
          tookMs: Number(durationMs),
          error: error && errorOfStatus(error),
        };
      }
    }
  }

  /** Somebody decided; what the log says of it has the reason, too. */
  decide(id: string, decision: Decision): void {
    this.of(id).decision = decision;
  }

  /** Somebody answered what a call's tool asks. */
  answer(id: string, questionId: string, { action, by, content }: Reply): void {
    const question = this.of(id).questions.find((each) => each.id === questionId);
    if (question) question.reply = { action, by, content };
  }

  /** Filters took something out of what came of a call. */
  screen(id: string, removed: Removed[]): void {
    const call = this.all.find((each) => each.id === id);
    if (call) call.removed = removed;
  }

  private of(id: string): ToolCall {
    let call = this.all.find((each) => each.id === id);
    if (!call) {
      const unknown = { tool: "", arguments: "", sha256: new Uint8Array(), asks: false, position: 0 };
      call = { id, ...unknown, decision: undefined, startMs: 0, questions: [], end: undefined, removed: [] };
      this.all.push(call);
    }
    return call;
  }
}
