// A call of a tool: what it is asked, how it stands, what came of it. Nothing in it is ever HTML.

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import {
  type CallState,
  type Child,
  type Question,
  type ToolAnswerAction,
  type ToolCall,
  type TurnView,
  type Value,
  stateOf,
  textOf,
} from "../../antiphon";
import type { Part } from "../../gen/antiphon/context/v1/message_pb";
import { Icon } from "../parts";
import { useNow } from "../use";
import { brief, pretty, visible } from "../visible";
import { duration, failureOf, took } from "../words";
import { Delegated } from "./child";
import { Decide } from "./decide";
import { type Answer, Asked, Replied } from "./question";
import { Removed } from "./removed";
import { type ReadPart, Result } from "./result";

const BRIEF = 200;
const PREVIEW = 300;

/** What is to be known of people for showing who decided, and for deciding. */
export interface Deciding {
  self: string;
  nameOf: (actor: string) => string;
  /** What a call had another handler do. */
  childOf: (turn: TurnView, call: ToolCall) => Child | undefined;
  /** Whether something of it, or of what it has asked for, waits for a person. */
  waitsIn: (turn: TurnView) => boolean;
  /** Reads what is kept of a result. */
  read: ReadPart;
  /** Missing where one may not. Returns whose decision counts; throws AntiphonError. */
  decide?: ((turn: TurnView, call: ToolCall, approve: boolean, reason: string) => Promise<string>) | undefined;
  /** The same of what a call's tool asks. */
  answer?:
    | ((
        turn: TurnView,
        call: ToolCall,
        question: Question,
        action: ToolAnswerAction,
        content?: Record<string, Value>,
      ) => Promise<string>)
    | undefined;
}

/** A call of a tool, or a turn that another handler works on. */
export function Call(props: { call: ToolCall; turn: TurnView; deciding: Deciding }): JSX.Element {
  const child = props.deciding.childOf(props.turn, props.call);
  return child ? <Delegated child={child} deciding={props.deciding} /> : <OfTool {...props} />;
}

/** Folded to a few lines; whole as long as it waits, for whole it is approved. */
function OfTool({ call, turn, deciding }: { call: ToolCall; turn: TurnView; deciding: Deciding }): JSX.Element {
  const state = stateOf(call, turn.isDone);
  const [chosen, choose] = useState<boolean>();
  const [faster, setFaster] = useState("");
  const isOpen = chosen ?? state === "waits";
  const isBrief = !isOpen && !isQuestion(call);
  const { decide, answer } = deciding;
  const decided = async (approve: boolean, reason: string) => {
    const by = await decide!(turn, call, approve, reason);
    if (by !== deciding.self) setFaster(by);
  };
  const answering = (question: Question): Answer => async (action, content) => {
    const by = await answer!(turn, call, question, action, content);
    if (by !== deciding.self) setFaster(by);
  };
  const toggle = (event: Event) => {
    event.preventDefault();
    choose(!isOpen);
  };
  return (
    <li class={`call ${state}`}>
      <details open={isOpen}>
        <summary onClick={toggle}>
          <Icon name="tool" />
          <bdi class="call-name">{visible(call.tool)}</bdi>
          {isBrief && <Brief text={call.arguments} />}
          <Standing call={call} state={state} />
        </summary>
        {isOpen && <Whole call={call} read={deciding.read} />}
      </details>
      {isBrief && <Preview call={call} />}
      <Removed removed={call.removed} />
      <Told call={call} state={state} deciding={deciding} />
      {call.questions.map((question) =>
        question.reply ? (
          <Replied
            key={question.id}
            question={question}
            reply={question.reply}
            by={question.reply.by === deciding.self ? "you" : deciding.nameOf(question.reply.by)}
          />
        ) : (
          state === "asks" && (
            <Asked
              key={question.id}
              question={question}
              onAnswer={answer && isAsked(question, deciding.self) ? answering(question) : undefined}
              onGone={goOn}
            />
          )
        ),
      )}
      {faster && (
        <p class="call-told" role="status">
          {deciding.nameOf(faster)} was faster than you.
        </p>
      )}
      {state === "waits" && decide && (
        <Decide tool={visible(call.tool)} onDecide={decided} onGone={goOn} />
      )}
    </li>
  );
}

/** Whether it is nothing but a question to people, who read question and answer below it. */
function isQuestion({ tool, arguments: asked, questions }: ToolCall): boolean {
  return tool.endsWith(".ask") && questions.some(({ message }) => asked.includes(JSON.stringify(message)));
}

/** Whether that is who may answer. */
function isAsked({ askedOf }: Question, self: string): boolean {
  return !askedOf || askedOf === self;
}

/** The answer may be drawn anew any moment: so who decided by keys goes on where one writes. */
function goOn(): void {
  const isTouched = matchMedia("(pointer: coarse)").matches; // there it would bring up a keyboard
  document.querySelector<HTMLElement>(isTouched ? "#main" : ".composer textarea")?.focus();
}

function Brief({ text }: { text: string }): JSX.Element | null {
  const shown = useMemo(() => brief(text, BRIEF), [text]);
  if (shown === "{}" || !shown) return null;
  return (
    <code class="call-brief" dir="ltr">
      {shown}
    </code>
  );
}

const STANDINGS: Record<CallState, string> = {
  waits: "waits for approval",
  approved: "approved",
  runs: "running",
  asks: "asks a question",
  succeeded: "done",
  failed: "failed",
  denied: "denied",
  stopped: "stopped",
  unknown: "may have run",
};

function Standing({ call, state }: { call: ToolCall; state: CallState }): JSX.Element {
  const isUnderWay = state === "runs" || state === "approved";
  return (
    <span class="call-state">
      {isUnderWay && <span class="spinner" aria-hidden="true" />}
      {state === "succeeded" && <Icon name="check" />}
      {(state === "failed" || state === "unknown") && <Icon name="alert" />}
      <span>{STANDINGS[state]}</span>
      {state === "runs" && <Elapsed sinceMs={call.startMs} />}
      {call.end && call.end.tookMs > 0 && <span class="quiet">{took(call.end.tookMs)}</span>}
    </span>
  );
}

function Elapsed({ sinceMs }: { sinceMs: number }): JSX.Element | null {
  const passed = useNow(1000) - sinceMs;
  return passed < 1000 ? null : <span class="quiet">{duration(passed)}</span>;
}

/** Who decided, and why it came to nothing. */
function Told({ call, state, deciding }: { call: ToolCall; state: CallState; deciding: Deciding }): JSX.Element | null {
  const { decision } = call;
  const by = decision && (decision.by === deciding.self ? "you" : deciding.nameOf(decision.by));
  const failure = decision?.approved === false ? "" : failureOf(call.end?.error);
  const unknown = state === "unknown" && !failure ? "It may have run; nobody knows." : "";
  if (!decision && !failure && !unknown) return null;
  return (
    <p class="call-told" dir="auto">
      {decision && (
        <>
          {decision.approved ? "Approved" : "Denied"} by <bdi>{by}</bdi>
          {decision.reason && `: “${visible(decision.reason)}”`}
          {!decision.reason && "."}{" "}
        </>
      )}
      {(failure || unknown) && <span class="wrong">{visible(failure || unknown)}</span>}
    </p>
  );
}

/** The first lines of what came of it. */
function Preview({ call }: { call: ToolCall }): JSX.Element | null {
  const text = useMemo(() => previewOf(call.end?.parts ?? []), [call.end]);
  if (!text) return null;
  return (
    <p class="call-preview" dir="auto">
      {text}
    </p>
  );
}

/** JSON in a line, so that more of it is seen; other texts as they are; of data what kind it is. */
function previewOf(parts: Part[]): string {
  const text = textOf(parts).trim();
  if (!text) return parts.map(({ content }) => DATA[content.case ?? ""] ?? "a file").join(", ");
  return /^[[{]/.test(text) ? brief(text, PREVIEW) : visible(text.slice(0, PREVIEW));
}

const DATA: Record<string, string> = { image: "a picture", audio: "a recording" };

/** All of it. */
function Whole({ call, read }: { call: ToolCall; read: ReadPart }): JSX.Element {
  const asked = useMemo(() => visible(pretty(call.arguments)), [call.arguments]);
  return (
    <div class="call-whole">
      <h3>Arguments</h3>
      <pre tabIndex={0} dir="ltr">
        {asked || "{}"}
      </pre>
      <Result call={call} read={read} />
    </div>
  );
}
