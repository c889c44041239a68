// What models consumed and cost.

import { timestampDate, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { listed } from "../antiphon";
import { AttemptOutcome, type ModelCall, type Usage as Sum } from "../gen/antiphon/integration/v1/model_pb";
import type { Desk } from "../page/desk";
import { Notice } from "../page/parts";
import { duration, kindsOf, moment, money } from "../page/words";
import { type Bar, Chart } from "../page/chart";
import { failureOf } from "./failure";
import { useLoaded } from "../page/loading";
import { Figure, State, Table, wordOf } from "../page/table";

const MOST_CALLS = 2_000;
const HOUR_MS = 3_600_000;
const SPANS = { "24 hours": 24, "7 days": 24 * 7, "30 days": 24 * 30 } as const;

type Span = keyof typeof SPANS;

/** Usage of a workspace, as charts and as the ledger has it. */
export function Usage({ desk }: { desk: Desk }): JSX.Element {
  const [workspaceId, setWorkspaceId] = useState(desk.workspaces[0]?.workspaceId ?? "");
  const [span, setSpan] = useState<Span>("24 hours");
  const chosen = workspaceId || desk.workspaces[0]?.workspaceId || "";
  const { value, error } = useLoaded(() => read(desk, chosen, SPANS[span]), [chosen, span], 15_000);
  if (!desk.workspaces.length) return <p class="empty">There is no workspace of yours yet.</p>;
  const calls = value?.calls ?? [];
  const total = value?.total;
  const failed = calls.filter((call) => call.outcome === AttemptOutcome.FAILED).length;
  return (
    <>
      <div class="bar">
        <select aria-label="Workspace" value={chosen} onChange={(event) => setWorkspaceId(event.currentTarget.value)}>
          {desk.workspaces.map((each) => (
            <option key={each.workspaceId} value={each.workspaceId}>
              {each.displayName}
            </option>
          ))}
        </select>
        <select aria-label="How long" value={span} onChange={(event) => setSpan(event.currentTarget.value as Span)}>
          {Object.keys(SPANS).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </div>
      {error && <Notice text={error} />}
      <div class="figures">
        <Figure label="Cost" value={total?.cost ? money(total.cost.micros, total.cost.currency) : "unknown"} />
        <Figure label="Tokens read" value={(total?.inputTokens ?? 0n).toLocaleString()} />
        <Figure label="Cached of these" value={(total?.cachedTokens ?? 0n).toLocaleString()} />
        <Figure label="Tokens written" value={(total?.outputTokens ?? 0n).toLocaleString()} />
        <Figure label="Calls that failed" value={`${failed} of ${calls.length}`} />
      </div>
      <div class="charts">
        <Chart
          title="Tokens"
          series={["read", "written"]}
          words={compact}
          bars={bars(calls, span, (call) => [
            Number(call.usage?.inputTokens ?? 0),
            Number(call.usage?.outputTokens ?? 0),
          ])}
        />
        <Chart
          title="Cost"
          series={["cost"]}
          words={(value) => money(BigInt(Math.round(value)), total?.cost?.currency ?? "USD")}
          bars={bars(calls, span, (call) => [Number(call.usage?.cost?.micros ?? 0)])}
        />
        <Chart
          title="Calls"
          series={["succeeded", "others"]}
          words={compact}
          bars={bars(calls, span, ({ outcome }) =>
            outcome === AttemptOutcome.SUCCEEDED ? [1, 0] : [0, 1],
          )}
        />
      </div>
      <h2>By model</h2>
      <Table
        label="By model"
        rows={value && byModel(calls)}
        keyOf={(row) => row.model}
        empty="No model was called."
        columns={[
          { name: "model", cell: (row) => row.model },
          { name: "calls", cell: (row) => row.calls.toLocaleString(), isNumber: true },
          { name: "tokens", cell: (row) => row.tokens.toLocaleString(), isNumber: true },
          { name: "cost", cell: (row) => money(BigInt(row.micros), row.currency), isNumber: true },
          { name: "on average", cell: (row) => duration(row.ms / row.calls), isNumber: true },
        ]}
      />
      <h2>The newest calls</h2>
      <Table
        label="The newest calls"
        rows={value && calls.slice(0, 50)}
        keyOf={(call) => call.callId}
        empty="No model was called."
        columns={[
          { name: "when", cell: (call) => (call.startTime ? moment(timestampMs(call.startTime)) : "") },
          { name: "model", cell: (call) => call.model },
          {
            name: "how it ended",
            cell: (call) => (
              <>
                <State name={wordOf(AttemptOutcome, call.outcome)} /> {failureOf(call)}
              </>
            ),
          },
          {
            name: "tokens",
            cell: ({ usage }) => (
              <span title={usage && kindsOf(usage)}>{`${usage?.inputTokens ?? 0} + ${usage?.outputTokens ?? 0}`}</span>
            ),
            isNumber: true,
          },
          {
            name: "cost",
            cell: ({ usage }) => (usage?.cost ? money(usage.cost.micros, usage.cost.currency) : ""),
            isNumber: true,
          },
          { name: "took", cell: (call) => duration(Number(call.durationMs)), isNumber: true },
        ]}
      />
    </>
  );
}

async function read(
  desk: Desk,
  workspaceId: string,
  hours: number,
): Promise<{ calls: ModelCall[]; total: Sum | undefined }> {
  if (!workspaceId) return { calls: [], total: undefined };
  const startTime = timestampFromMs(Date.now() - hours * HOUR_MS);
  let total: Sum | undefined;
  const calls = await listed(
    async (pageToken) => {
      const page = await desk.session.stubs.integration.getUsage({
        workspaceId,
        startTime,
        pageToken,
        pageSize: 200,
      });
      total = page.total;
      return page;
    },
    (page) => page.calls,
    MOST_CALLS,
  );
  return { calls, total };
}

function bars(calls: ModelCall[], span: Span, parts: (call: ModelCall) => number[]): Bar[] {
  const isDay = span === "24 hours";
  const stepMs = isDay ? HOUR_MS : 24 * HOUR_MS;
  const count = SPANS[span] / (isDay ? 1 : 24);
  const end = isDay ? Math.ceil(Date.now() / HOUR_MS) * HOUR_MS : new Date().setHours(24, 0, 0, 0);
  const found = Array.from({ length: count }, (_, index): Bar => {
    const from = new Date(end - (count - index) * stepMs);
    const name = isDay
      ? from.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hour12: false })
      : from.toLocaleDateString(undefined, { day: "numeric", month: "short" });
    return { name, parts: [] };
  });
  for (const call of calls) {
    if (!call.startTime) continue;
    const at = Math.floor((timestampDate(call.startTime).getTime() - (end - count * stepMs)) / stepMs);
    const bar = found[at];
    if (bar) bar.parts = parts(call).map((part, index) => part + (bar.parts[index] ?? 0));
  }
  return found;
}

function byModel(calls: ModelCall[]) {
  const rows = new Map<string, { model: string; calls: number; tokens: number; micros: number; currency: string; ms: number }>();
  for (const { model, usage, durationMs } of calls) {
    const row = rows.get(model) ?? { model, calls: 0, tokens: 0, micros: 0, currency: "USD", ms: 0 };
    row.calls += 1;
    row.tokens += Number((usage?.inputTokens ?? 0n) + (usage?.outputTokens ?? 0n));
    row.micros += Number(usage?.cost?.micros ?? 0n);
    row.currency = usage?.cost?.currency || row.currency;
    row.ms += Number(durationMs);
    rows.set(model, row);
  }
  return [...rows.values()].sort((a, b) => b.calls - a.calls);
}

function compact(value: number): string {
  return new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 }).format(value);
}
