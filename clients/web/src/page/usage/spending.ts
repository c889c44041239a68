// What was spent, as the server sums it, in the browser's days.

import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Session, listed } from "../../antiphon";
import type { Money } from "../../gen/antiphon/integration/v1/model_pb";
import { type Spending, SpendingKey } from "../../gen/antiphon/integration/v1/spending_pb";
import type { Bar } from "../chart";

const MOST_GROUPS = 2_000;

/** The days that are looked at: dates as the server writes them. */
export interface Range {
  days: string[];
  startMs: number;
}

/** The last days, today included, as the browser's clock has them. */
export function lastDays(count: number, now = new Date()): Range {
  const days = Array.from({ length: count }, (_, index) => {
    const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() - (count - 1 - index));
    const two = (value: number) => `${value}`.padStart(2, "0");
    return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
  });
  const start = new Date(now.getFullYear(), now.getMonth(), now.getDate() - (count - 1));
  return { days, startMs: start.getTime() };
}

/** All groups of a workspace's calls in a range. Throws AntiphonError. */
export function readSpending(session: Session, parent: string, range: Range, key: SpendingKey): Promise<Spending[]> {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const wanted = { parent, startTime: timestampFromMs(range.startMs), groupBy: [key], timeZone, pageSize: 1_000 };
  return listed(
    (pageToken) => session.stubs.budgets.getSpending({ ...wanted, pageToken }),
    (page) => page.groups,
    MOST_GROUPS,
  );
}

/** A bar for each day of a range, also those on which nothing was called. */
export function barsOf(range: Range, groups: Spending[], parts: (group: Spending) => number[]): Bar[] {
  const known = new Map(groups.map((each) => [each.day, each]));
  return range.days.map((day) => {
    const found = known.get(day);
    const date = new Date(`${day}T12:00:00`);
    const name = date.toLocaleDateString(undefined, { day: "numeric", month: "short" });
    return { name, parts: found ? parts(found) : [] };
  });
}

/** Amounts by currency. */
export function sumsOf(amounts: Money[]): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { currency, micros } of amounts) sums.set(currency, (sums.get(currency) ?? 0n) + micros);
  return sums;
}

/** The currency in which most was spent. */
export function mainCurrency(groups: Spending[]): string {
  const sums = [...sumsOf(groups.flatMap((each) => each.costs))];
  return sums.sort(([, a], [, b]) => Number(b - a))[0]?.[0] ?? "";
}

/** What a group spent in one currency. */
export function costIn(group: Spending, currency: string): bigint {
  return sumsOf(group.costs).get(currency) ?? 0n;
}

/** How many tokens its calls had. */
export function tokensOf({ usage }: Spending): bigint {
  return (usage?.inputTokens ?? 0n) + (usage?.outputTokens ?? 0n);
}
