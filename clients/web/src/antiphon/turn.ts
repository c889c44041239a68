// A turn as its events tell it.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { MessageRole } from "../gen/antiphon/context/v1/message_pb";
import type { Turn } from "../gen/antiphon/dispatcher/v1/turn_pb";
import { type Event, TurnState } from "../gen/antiphon/events/v1/event_pb";
import type { Handoff } from "../gen/antiphon/events/v1/handoff_pb";
import type { RouteDecision } from "../gen/antiphon/events/v1/route_pb";
import type { FinishReason, SkippedModel, Usage } from "../gen/antiphon/integration/v1/model_pb";
import { type ToolCall, ToolCalls, stateOf } from "./calls";
import { type AntiphonError, errorOfStatus } from "./errors";
import { Text, textOf } from "./text";

/** Which worker has a turn: what it is one of, and in which version. */
export interface Assigned {
  deployment: string;
  version: string;
}

/** What is known of one turn. It changes as events are applied. */
export class TurnView {
  state = TurnState.ACCEPTED;
  handler = "";
  /** Why it is that handler's, where routes have found it. */
  route: RouteDecision | undefined;
  /** The turn that asked for it; empty if a caller did. */
  parentTurnId = "";
  /** Why it waits for people, as long as it does. */
  handoff: Handoff | undefined;
  /** Who works on it, where that is a worker. */
  worker: Assigned | undefined;
  model = "";
  messageId = "";
  replyMessageId = "";
  status = "";
  fraction: number | undefined;
  ahead = 0;
  startMs = 0;
  endMs = 0;
  usage: Usage | undefined;
  error: AntiphonError | undefined;
  finishReason: FinishReason | undefined;
  /** The limit of tokens at which it was cut off, if what was asked for set it. */
  outputLimit = 0;
  /** How many older messages the model was asked without. */
  omittedMessages = 0;
  /** How many pictures, recordings and files it was told of in words alone. */
  describedParts = 0;
  /** How many tools it was not told of. */
  withheldTools = 0;
  /** How many texts beside the messages, as the whiteboard, it had no room for. */
  omittedTexts = 0;
  /** The models of the list that did not answer, and why. */
  skippedModels: SkippedModel[] = [];
  isStopping = false;
  /** Grows when something becomes known after the end. */
  revision = 0;
  readonly calls = new ToolCalls();
  private readonly texts = new Map<string, Text>();
  private isToldOfHandoffs = false;

  constructor(readonly turnId: string) {}

  /** Whether nothing more will come of it. */
  get isDone(): boolean {
    return this.state >= TurnState.SUCCEEDED; // a state of a newer server's is an end, too
  }

  /** The answer so far. */
  get text(): string {
    return [...this.texts.values()].join("");
  }

  /** Calls of tools, in the order they were proposed. */
  get toolCalls(): ToolCall[] {
    return this.calls.all;
  }

  /** Those that wait for a person's decision. */
  get waiting(): ToolCall[] {
    return this.toolCalls.filter((call) => ["waits", "asks"].includes(stateOf(call, this.isDone)));
  }

  /** Take in the server's word of how it is now. */
  assign(turn: Turn): void {
    this.parentTurnId = turn.parentTurnId || this.parentTurnId;
    this.route = turn.route ?? this.route;
    if (this.isDone) return;
    this.state = turn.state;
    this.handler = turn.handler;
    if (!this.isToldOfHandoffs) this.handoff = turn.handoff; // an answer may be older than events
    this.model = turn.model || this.model;
    this.messageId = turn.messageId;
    this.replyMessageId = turn.replyMessageId;
    this.usage = turn.usage;
    this.finishReason = turn.finishReason;
    this.omittedMessages = turn.omittedMessages;
    this.describedParts = turn.describedParts;
    this.withheldTools = turn.withheldTools;
    this.omittedTexts = turn.omittedTexts;
    this.skippedModels = turn.skippedModels;
    this.outputLimit = turn.outputLimit;
    this.error = turn.error && errorOfStatus(turn.error);
    if (turn.startTime ?? turn.createTime) {
      this.startMs = timestampMs((turn.startTime ?? turn.createTime)!);
    }
    if (turn.endTime) this.endMs = timestampMs(turn.endTime);
  }

  /** Forget what was said beside its messages, and the texts of these. */
  erase(messageIds: string[]): void {
    for (const id of messageIds) this.texts.delete(id);
    this.calls.erase();
    this.status = "";
    this.revision += 1;
  }

  /** Take in one event of this turn. */
  apply(event: Event): void {
    const { payload } = event;
    const at = event.time ? timestampMs(event.time) : 0;
    switch (payload.case) {
      case "turnAccepted":
        this.handler = payload.value.handler;
        this.messageId = payload.value.messageId;
        this.parentTurnId = payload.value.parentTurnId;
        this.route = payload.value.route;
        break;
      case "turnAssigned":
        this.worker = payload.value;
        this.status = ""; // it waited for one
        break;
      case "turnQueued":
        this.become(TurnState.QUEUED);
        this.ahead = payload.value.ahead;
        break;
      case "turnStarted":
        this.become(TurnState.RUNNING);
        this.handler = payload.value.handler;
        this.route = payload.value.route ?? this.route;
        this.startMs = at;
        this.status = "";
        break;
      case "turnProgressed":
        this.status = payload.value.status;
        this.fraction = payload.value.fraction;
        break;
      case "textDeltaAppended":
        this.status = "";
        this.textOfMessage(payload.value.messageId).append(
          payload.value.position,
          payload.value.text,
        );
        break;
      case "messagePosted": {
        const message = payload.value.message;
        if (message?.role !== MessageRole.ASSISTANT) break;
        this.replyMessageId = message.messageId;
        this.textOfMessage(message.messageId).replace(textOf(message.parts));
        break;
      }
      case "turnHandedOff":
        this.handoff = payload.value.handoff;
        this.isToldOfHandoffs = true;
        break;
      case "handoffClaimChanged":
        if (this.handoff) this.handoff.claimedBy = payload.value.claimedBy;
        break;
      case "handoffEnded":
        if (this.handoff?.heldFor && payload.value.handler) {
          const { note } = payload.value;
          this.status = note ? `a person has let it go on: ${note}` : "a person has let it go on";
        }
        this.handoff = undefined;
        this.isToldOfHandoffs = true;
        break;
      case "turnFinished":
        this.handoff = undefined;
        this.state = payload.value.state;
        this.usage = payload.value.usage;
        this.model = payload.value.model;
        this.finishReason = payload.value.finishReason;
        this.omittedMessages = payload.value.omittedMessages;
        this.describedParts = payload.value.describedParts;
        this.withheldTools = payload.value.withheldTools;
        this.omittedTexts = payload.value.omittedTexts;
        this.skippedModels = payload.value.skippedModels;
        this.outputLimit = payload.value.outputLimit;
        this.error = payload.value.error && errorOfStatus(payload.value.error);
        this.endMs = at;
        break;
      default:
        this.calls.apply(event);
    }
  }

  private become(state: TurnState): void {
    if (!this.isDone) this.state = state;
  }

  private textOfMessage(messageId: string): Text {
    let text = this.texts.get(messageId);
    if (!text) this.texts.set(messageId, (text = new Text()));
    return text;
  }
}
