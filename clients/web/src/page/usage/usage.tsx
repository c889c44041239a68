// What a workspace's calls took, day by day, and its budgets.

import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { SpendingKey, type Spending } from "../../gen/antiphon/integration/v1/spending_pb";
import type { Money } from "../../gen/antiphon/integration/v1/model_pb";
import { Chart } from "../chart";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { Notice } from "../parts";
import { Figure, Table } from "../table";
import { money } from "../words";
import { RoutesSection } from "../routes/section";
import { SchedulesSection } from "../schedules/section";
import { WorkersSection } from "../workers/section";
import { BudgetsSection, OF_ALL } from "./budgets";
import { barsOf, costIn, lastDays, mainCurrency, readSpending, sumsOf, tokensOf } from "./spending";

const SPANS = { "7 days": 7, "30 days": 30, "90 days": 90 } as const;
const KEYS = {
  "model or tool": SpendingKey.TARGET,
  person: SpendingKey.USER,
  "API key": SpendingKey.API_KEY,
  conversation: SpendingKey.CONVERSATION,
  workspace: SpendingKey.WORKSPACE,
} as const;
const AGAIN_MS = 30_000;

type Span = keyof typeof SPANS;
type KeyName = keyof typeof KEYS;

/** Charts of days, who and what took it, and what is limited. */
export function UsageView({ desk, workspaceId }: { desk: Desk; workspaceId: string }): JSX.Element {
  const [chosen, setChosen] = useState("");
  const [span, setSpan] = useState<Span>("30 days");
  const places = desk.workspaces.map((each): [string, string] => [each.workspaceId, each.displayName]);
  if (desk.session.user?.operator) places.push([OF_ALL, "All workspaces"]);
  const parent = chosen || workspaceId || places[0]?.[0] || "";
  if (!parent) {
    return <p class="empty">{desk.isLoading ? "" : "Your first conversation makes a workspace; then this shows what it takes."}</p>;
  }
  return (
    <div class="usage scroll" tabIndex={0} role="region" aria-label="Usage and budgets">
      <div class="bar">
        {(places.length > 1 || parent === OF_ALL) && (
          <select aria-label="Workspace" value={parent} onChange={(event) => setChosen(event.currentTarget.value)}>
            {places.map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
        <select aria-label="How long" value={span} onChange={(event) => setSpan(event.currentTarget.value as Span)}>
          {Object.keys(SPANS).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </div>
      <Days key={`${parent} ${span}`} desk={desk} parent={parent} count={SPANS[span]} />
      <BudgetsSection key={parent} desk={desk} parent={parent} />
      <Groups key={`${parent} of ${span}`} desk={desk} parent={parent} count={SPANS[span]} />
      <WorkersSection key={`${parent} workers`} desk={desk} parent={parent} />
      <RoutesSection key={`${parent} routes`} desk={desk} parent={parent} />
      <SchedulesSection key={`${parent} schedules`} desk={desk} parent={parent} />
    </div>
  );
}

type Part = { desk: Desk; parent: string; count: number };

function Days({ desk, parent, count }: Part): JSX.Element {
  const read = async () => {
    const range = lastDays(count);
    return { range, groups: await readSpending(desk.session, parent, range, SpendingKey.DAY) };
  };
  const { value, error } = useLoaded(read, [], AGAIN_MS);
  const groups = value?.groups ?? [];
  const range = useMemo(() => value?.range ?? lastDays(count), [value]);
  const currency = mainCurrency(groups);
  const running = groups.reduce((sum, each) => sum + each.openCalls, 0n);
  const reserved = amounts(groups.flatMap((each) => each.reserved));
  return (
    <>
      {error && <Notice text={error} />}
      <div class="figures" aria-busy={!value}>
        <Figure label="Cost" value={costOf(groups)} />
        <Figure label="Tokens" value={groups.reduce((sum, each) => sum + tokensOf(each), 0n).toLocaleString()} />
        <Figure label="Calls" value={groups.reduce((sum, each) => sum + each.calls, 0n).toLocaleString()} />
        <Figure label="Reserved now" value={reserved || (running ? `${running.toLocaleString()} calls` : "nothing")} />
      </div>
      <div class="charts">
        {currency && (
          <Chart
            title="Cost a day"
            series={["cost"]}
            words={(value) => money(BigInt(Math.round(value)), currency)}
            bars={barsOf(range, groups, (each) => [Number(costIn(each, currency))])}
          />
        )}
        <Chart
          title="Tokens a day"
          series={["read", "written"]}
          words={compact}
          bars={barsOf(range, groups, ({ usage }) => [Number(usage?.inputTokens ?? 0), Number(usage?.outputTokens ?? 0)])}
        />
      </div>
    </>
  );
}

function Groups({ desk, parent, count }: Part): JSX.Element {
  const [name, setName] = useState<KeyName>("model or tool");
  const names = (Object.keys(KEYS) as KeyName[]).filter((each) => each !== "workspace" || parent === OF_ALL);
  const key = KEYS[name];
  const read = async () => ({ key, groups: await readSpending(desk.session, parent, lastDays(count), key) });
  const { value, error } = useLoaded(read, [key], AGAIN_MS);
  const rows = value?.key === key ? [...value.groups] : undefined;
  const currency = mainCurrency(rows ?? []);
  rows?.sort((a, b) => Number(costIn(b, currency) - costIn(a, currency)) || Number(tokensOf(b) - tokensOf(a)));
  return (
    <section>
      <div class="bar">
        <h2>By {name}</h2>
        <select aria-label="By what" value={name} onChange={(event) => setName(event.currentTarget.value as KeyName)}>
          {names.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </div>
      <Table
        label={`By ${name}`}
        rows={rows}
        error={error}
        keyOf={(row) => `${row.target} ${row.userId} ${row.apiKeyId} ${row.conversationId} ${row.workspaceId}`}
        empty="Nothing was called in these days."
        columns={[
          { name, cell: (row) => <Called desk={desk} parent={parent} row={row} /> },
          { name: "calls", cell: (row) => row.calls.toLocaleString(), isNumber: true },
          { name: "read", cell: (row) => (row.usage?.inputTokens ?? 0n).toLocaleString(), isNumber: true },
          { name: "written", cell: (row) => (row.usage?.outputTokens ?? 0n).toLocaleString(), isNumber: true },
          { name: "cost", cell: (row) => costOf([row]), isNumber: true },
        ]}
      />
    </section>
  );
}

function Called({ desk, parent, row }: { desk: Desk; parent: string; row: Spending }): JSX.Element {
  if (row.target) return <>{row.target}</>;
  if (row.userId) return <span dir="auto">{desk.names.of(`users/${row.userId}`, [parent])}</span>;
  if (row.workspaceId) {
    const known = desk.workspaces.find((each) => each.workspaceId === row.workspaceId);
    return <span dir="auto">{known?.displayName || row.workspaceId}</span>;
  }
  if (row.apiKeyId) return <code>{row.apiKeyId}</code>;
  if (!row.conversationId) return <>none</>;
  const known = desk.conversations.find((each) => each.conversationId === row.conversationId);
  return (
    <a href={`#/c/${row.conversationId}`} dir="auto" class="title">
      {known ? known.title || "Untitled" : row.conversationId}
    </a>
  );
}

function costOf(groups: Spending[]): string {
  const unpriced = groups.reduce((sum, each) => sum + each.unpricedCalls, 0n);
  const unknown = unpriced ? `${unpriced.toLocaleString()} calls of unknown price` : "";
  const known = amounts(groups.flatMap((each) => each.costs));
  return [known, unknown].filter(Boolean).join(" + ") || money(0n, "USD");
}

function amounts(all: Money[]): string {
  return [...sumsOf(all)].map(([currency, micros]) => money(micros, currency)).join(" + ");
}

function compact(value: number): string {
  return new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 }).format(value);
}
