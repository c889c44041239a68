// Turns that run and that ran, and who works on them.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { errorOfStatus } from "../antiphon";
import type { Turn } from "../gen/antiphon/dispatcher/v1/turn_pb";
import { LossPolicy } from "../gen/antiphon/dispatcher/v1/turn_pb";
import { TurnState } from "../gen/antiphon/events/v1/event_pb";
import { AttemptOutcome, type ModelCall } from "../gen/antiphon/integration/v1/model_pb";
import { RouteOutcome } from "../gen/antiphon/events/v1/route_pb";
import { why } from "../page/conversation/route";
import type { Desk } from "../page/desk";
import { Notice, Spinner } from "../page/parts";
import { visible } from "../page/visible";
import { consumed, duration, moment, sentenceOf } from "../page/words";
import { failureOf } from "./failure";
import { useLoaded } from "../page/loading";
import { Models } from "./models";
import { Filter, State, Table, wordOf } from "../page/table";

const MOST_CONVERSATIONS = 20;
const RUNNING = new Set([TurnState.RUNNING, TurnState.QUEUED, TurnState.ACCEPTED]);

/** The newest turns of the newest conversations; those that run can be stopped. */
export function Turns({ desk }: { desk: Desk }): JSX.Element {
  const [states, setStates] = useState(new Set<string>());
  const [error, setError] = useState("");
  const loaded = useLoaded(() => read(desk), [desk.conversations.length], 5_000);
  const names = [...new Set((loaded.value ?? []).map((turn) => standingOf(turn)))];
  const shown = loaded.value?.filter((turn) => !states.size || states.has(standingOf(turn)));
  const stop = (turn: Turn) => async () => {
    const { conversationId, turnId } = turn;
    await desk.session.stubs.dispatcher
      .cancelTurn({ conversationId, turnId })
      .catch((thrown) => setError(sentenceOf(thrown)));
    loaded.reload();
  };
  return (
    <>
      {names.length > 1 && <Filter label="States" names={names} chosen={states} onChange={setStates} />}
      {error && <Notice text={error} />}
      <Table
        label="Turns"
        isStacked
        rows={shown}
        error={loaded.error}
        keyOf={(turn) => turn.turnId}
        empty="No turn yet."
        columns={[
          { name: "when", cell: (turn) => (turn.createTime ? moment(timestampMs(turn.createTime)) : "") },
          { name: "conversation", cell: (turn) => <Asked desk={desk} turn={turn} /> },
          { name: "state", cell: (turn) => <State name={standingOf(turn)} /> },
          { name: "handler", cell: (turn) => <Handled desk={desk} turn={turn} /> },
          { name: "model", cell: (turn) => turn.model },
          { name: "attempts", cell: (turn) => turn.attempt, isNumber: true },
          { name: "used", cell: (turn) => consumed(turn.usage), isNumber: true },
          { name: "took", cell: took, isNumber: true },
          { name: "why it failed", cell: (turn) => <Why desk={desk} turn={turn} /> },
          {
            name: "",
            cell: (turn) =>
              RUNNING.has(turn.state) && (
                <button type="button" class="small" onClick={stop(turn)}>
                  Stop
                </button>
              ),
          },
        ]}
      />
    </>
  );
}

/** What it is at; one that waits for somebody runs as far as the server is concerned. */
function standingOf({ state, handoff, route }: Turn): string {
  if (!RUNNING.has(state)) return wordOf(TurnState, state);
  if (handoff) return "waits for people";
  return route?.outcome === RouteOutcome.ASKED ? "waits for an answer" : wordOf(TurnState, state);
}

/** Where it was asked for, and by whom. */
function Asked({ desk, turn }: { desk: Desk; turn: Turn }): JSX.Element {
  return (
    <>
      <a href={`/#/c/${turn.conversationId}`}>{titleOf(desk, turn)}</a>
      {turn.creator && <span class="quiet title">by {nameOf(desk, turn.creator, turn)}</span>}
    </>
  );
}

/** Who works on it, and why: what found them, who has left it to people. */
function Handled({ desk, turn }: { desk: Desk; turn: Turn }): JSX.Element {
  const { handoff, route } = turn;
  return (
    <>
      {turn.parentTurnId ? "↳ " : ""}
      {turn.handler}
      {route && <span class="quiet title">{visible(why(route))}</span>}
      {handoff && <span class="quiet title">{waits(desk, turn)}</span>}
      {turn.answeredBy && <span class="quiet title">answered by {nameOf(desk, turn.answeredBy, turn)}</span>}
    </>
  );
}

function waits(desk: Desk, turn: Turn): string {
  const { heldFor, askedBy, claimedBy, reason } = turn.handoff!;
  const isItself = askedBy === `handlers/${turn.handler}`; // it was for people from the beginning
  const from = heldFor ? `held, then for ${visible(heldFor)}` : isItself ? "" : `from ${nameOf(desk, askedBy, turn)}`;
  const taken = claimedBy && `${nameOf(desk, claimedBy, turn)} is at it`;
  return [from, visible(reason), taken].filter(Boolean).join("; ");
}

function nameOf(desk: Desk, actor: string, { conversationId }: Turn): string {
  return visible(desk.names.of(actor, [conversationId]));
}

/** What a provider said of its failure stands in the ledger, which is asked by who wants to know. */
function Why({ desk, turn }: { desk: Desk; turn: Turn }): JSX.Element | null {
  const [isAsked, setAsked] = useState(false);
  if (!turn.error) return null;
  const isOfModel = errorOfStatus(turn.error).reason.startsWith("MODEL_");
  return (
    <>
      {turn.error.message}{" "}
      {isAsked ? (
        <Calls desk={desk} turn={turn} />
      ) : (
        isOfModel && (
          <button type="button" class="link" onClick={() => setAsked(true)}>
            What the provider said
          </button>
        )
      )}
    </>
  );
}

function Calls({ desk, turn }: { desk: Desk; turn: Turn }): JSX.Element {
  const { value, error } = useLoaded(() => callsOf(desk, turn), [turn.turnId]);
  const failed = value?.filter((call) => call.outcome === AttemptOutcome.FAILED);
  if (error) return <Notice text={error} />;
  return (
    <span class="quiet">
      {failed?.map((call) => `${call.model}: ${failureOf(call)}`).join("; ") ?? <Spinner label="Loading" />}
    </span>
  );
}

async function callsOf(desk: Desk, { conversationId, turnId }: Turn): Promise<ModelCall[]> {
  const found = desk.conversations.find((each) => each.conversationId === conversationId);
  const request = { workspaceId: found?.workspaceId ?? "", conversationId, turnId };
  return (await desk.session.stubs.integration.getUsage(request)).calls;
}

async function read(desk: Desk): Promise<Turn[]> {
  const pages = await Promise.all(
    desk.conversations
      .slice(0, MOST_CONVERSATIONS)
      .map(({ conversationId }) => desk.session.stubs.dispatcher.listTurns({ conversationId, pageSize: 20 })),
  );
  const time = (turn: Turn) => (turn.createTime ? timestampMs(turn.createTime) : 0);
  return pages.flatMap((page) => page.turns).sort((a, b) => time(b) - time(a));
}

function titleOf(desk: Desk, turn: Turn): string {
  const found = desk.conversations.find((each) => each.conversationId === turn.conversationId);
  return found?.title.slice(0, 40) || "Untitled";
}

function took(turn: Turn): string {
  if (!turn.startTime) return "";
  return duration((turn.endTime ? timestampMs(turn.endTime) : Date.now()) - timestampMs(turn.startTime));
}

/** Models and handlers. */
export function Handlers({ desk }: { desk: Desk }): JSX.Element {
  const { dispatcher } = desk.session.stubs;
  const handlers = useLoaded(async () => (await dispatcher.listHandlers({})).handlers, []);
  return (
    <>
      <h2>Models</h2>
      <Models desk={desk} />
      <h2>Handlers</h2>
      <Table
        label="Handlers"
        rows={handlers.value}
        error={handlers.error}
        keyOf={(handler) => handler.name}
        columns={[
          { name: "name", cell: (handler) => `${handler.name}${handler.default ? " (default)" : ""}` },
          { name: "what it does", cell: (handler) => handler.description },
          { name: "if its node dies", cell: (handler) => wordOf(LossPolicy, handler.lossPolicy) },
        ]}
      />
    </>
  );
}
