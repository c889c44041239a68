// Connections to what is outside: the installation's, and those of the operator's workspaces.

import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { listed } from "../antiphon";
import { type Connection, ConnectionCause, ConnectionState, type ConnectionStatus } from "../gen/antiphon/integration/v1/connection_pb";
import { BreakerState } from "../gen/antiphon/integration/v1/model_pb";
import type { Desk } from "../page/desk";
import { Notice } from "../page/parts";
import { visible } from "../page/visible";
import { duration, sentenceOf, took } from "../page/words";
import { useLoaded } from "../page/loading";
import { State, Table, wordOf } from "../page/table";

const MOST_WORKSPACES = 20;
const INSTALLATION = "global"; // its own are there before anybody has a workspace

/** How each is now, as the server that answers sees it; operators have calls made by it, or not. */
export function Connections({ desk }: { desk: Desk }): JSX.Element {
  const [refused, setRefused] = useState("");
  const { value, error, reload } = useLoaded(() => read(desk), [desk.workspaces.length], 5_000);
  const set = ({ workspaceId, name }: Connection, breaker: BreakerState) => async () => {
    setRefused("");
    await desk.session.stubs.connections
      .setConnectionBreaker({ workspaceId: workspaceId || INSTALLATION, name, breaker })
      .catch((thrown) => setRefused(sentenceOf(thrown)));
    reload();
  };
  const of = (each: Connection) =>
    each.workspaceId
      ? (desk.workspaces.find((it) => it.workspaceId === each.workspaceId)?.displayName ?? each.workspaceId)
      : "all";
  const state = (each: Connection) => wordOf(ConnectionState, each.status?.state ?? 0);
  const table = (
    <Table
      label="Connections"
      rows={value}
      error={error}
      keyOf={(each) => `${each.workspaceId} ${each.name}`}
      empty="There is none: antiphon connections add makes one."
      columns={[
        { name: "name", cell: (each) => <Named connection={each} /> },
        { name: "state", cell: (each) => <State name={state(each)} isWished={each.disabled} /> },
        { name: "calls", cell: (each) => <Calls status={each.status} /> },
        { name: "reason", cell: (each) => <Reason status={each.status} /> },
        { name: "since", cell: (each) => (each.status?.sinceTime ? duration(Date.now() - timestampMs(each.status.sinceTime)) : ""), isNumber: true },
        { name: "latency", cell: (each) => (each.status?.latency ? took(durationMs(each.status.latency)) : ""), isNumber: true },
        { name: "tools", cell: (each) => `${each.status?.tools ?? 0}`, isNumber: true },
        { name: "kind", cell: (each) => kindOf(each) },
        { name: "workspace", cell: of },
        {
          name: "",
          cell: (each) => {
            const isCalled = each.status?.breaker !== BreakerState.OPEN && each.status?.breaker !== BreakerState.HALF_OPEN;
            const wanted = isCalled ? BreakerState.OPEN : BreakerState.CLOSED;
            const what = isCalled ? "Pause calls" : "Resume calls";
            return (
              <button type="button" class="small" onClick={set(each, wanted)} aria-label={`${what}: ${each.name}`}>
                {what}
              </button>
            );
          },
        },
      ]}
    />
  );
  return (
    <>
      {refused && <Notice text={refused} />}
      {table}
    </>
  );
}

/** Whether calls are made by it; nothing to say of one that is called. */
function Calls({ status }: { status: ConnectionStatus | undefined }): JSX.Element | null {
  if (status?.breakerByHand) return <State name="paused, by an operator" isWished />;
  switch (status?.breaker) {
    case BreakerState.OPEN:
      return <State name={`left alone${status.retryAfter ? ` for ${duration(durationMs(status.retryAfter))}` : ""}`} />;
    case BreakerState.HALF_OPEN:
      return <State name="left alone, but for one call" />;
    default:
      return null;
  }
}

/** Why it is not up: the cause, where one is known, else the reason; with what else is known of it. */
function Reason({ status }: { status: ConnectionStatus | undefined }): JSX.Element | null {
  if (!status?.errorReason) return null;
  const { httpStatus, more } = saidOf(status.errorMetadata);
  const cause = status.errorCause === ConnectionCause.UNSPECIFIED ? undefined : ConnectionCause[status.errorCause];
  return <code title={visible(more)}>{httpStatus ? `HTTP ${visible(httpStatus)}` : (cause ?? status.errorReason)}</code>;
}

function saidOf({ http_status: httpStatus, ...rest }: { [name: string]: string }) {
  return { httpStatus, more: Object.entries(rest).map(([name, said]) => `${name}: ${said}`).join(", ") };
}

/** What its tools begin with, and below it what people call it. */
function Named({ connection: { name, title } }: { connection: Connection }): JSX.Element {
  return (
    <>
      {name}
      {title && <span class="quiet title">{visible(title)}</span>}
    </>
  );
}

const KINDS: Record<string, string> = {
  mcp: "MCP",
  mcpProgram: "MCP, a program",
  openapi: "OpenAPI",
  webSocket: "WebSocket",
  grpc: "gRPC",
};

function kindOf({ target }: Connection): string {
  return target.case ? (KINDS[target.case] ?? target.case) : "";
}

async function read(desk: Desk): Promise<Connection[]> {
  const found = new Map<string, Connection>();
  const { connections } = desk.session.stubs;
  const places = [INSTALLATION, ...desk.workspaces.slice(0, MOST_WORKSPACES).map((each) => each.workspaceId)];
  const all = places.map(async (workspaceId) =>
    listed(
      (pageToken) => connections.listConnections({ workspaceId, pageToken }),
      (page) => page.connections,
      200,
    ),
  );
  for (const each of (await Promise.all(all)).flat()) found.set(`${each.workspaceId} ${each.name}`, each);
  return [...found.values()];
}
