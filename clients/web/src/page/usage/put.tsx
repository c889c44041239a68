// A window: making a budget, or changing one.

import { create } from "@bufbuild/protobuf";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import {
  type Budget,
  BudgetSchema,
  BudgetScope,
  BudgetWindow,
  WhenExceeded,
} from "../../gen/antiphon/integration/v1/budget_pb";
import { Dialog, Notice } from "../parts";
import { sentenceOf } from "../words";

const UNITS = ["USD", "EUR", "GBP", "tokens", "calls"];
const USUAL_WARNING = 80;
const WINDOWS: [BudgetWindow, string][] = [
  [BudgetWindow.MONTH, "a month"],
  [BudgetWindow.DAY, "a day"],
  [BudgetWindow.HOUR, "an hour"],
  [BudgetWindow.MINUTE, "a minute"],
  [BudgetWindow.ONCE, "in all"],
];
const SCOPES: [BudgetScope, string][] = [
  [BudgetScope.WORKSPACE, "the workspace together"],
  [BudgetScope.USER, "each person"],
  [BudgetScope.API_KEY, "each API key"],
  [BudgetScope.CONVERSATION, "each conversation"],
  [BudgetScope.TURN, "each answer"],
];

const OF_ALL: [BudgetScope, string] = [BudgetScope.INSTALLATION, "all workspaces together"];
const THEN: [WhenExceeded, string][] = [
  [WhenExceeded.REFUSE, "refuse what does not fit"],
  [WhenExceeded.NEXT_MODEL, "ask the next model that is listed"],
];

/** Asks what shall be allowed; what is not asked for stays as it is. */
export function PutBudgetDialog(props: {
  budget: Budget | undefined;
  isOfAll: boolean;
  onPut: (budget: Budget) => Promise<void>;
  onClose: () => void;
}): JSX.Element {
  const { budget } = props;
  const [error, setError] = useState("");
  const counted = budget?.limit?.amount;
  const unit = counted?.case === "money" ? counted.value.currency : (counted?.case ?? "USD");
  const limit = counted?.case === "money" ? Number(counted.value.micros) / 1e6 : counted?.value;
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    try {
      await props.onPut(budgetOf(data, budget));
      props.onClose();
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
  };
  return (
    <Dialog title={budget ? `Change ${budget.name}` : "New budget"} onClose={props.onClose}>
      <form onSubmit={submit}>
        {error && <Notice text={error} />}
        {!budget && (
          <label>
            Name
            <input name="name" required maxLength={64} pattern="[a-z0-9][a-z0-9_\-]*" title="Small letters, digits, _ and -" autofocus autocomplete="off" />
          </label>
        )}
        <label>
          Limit
          <span class="row">
            <input name="limit" type="number" min="0" max="1000000000" step="any" required defaultValue={limit === undefined ? "" : `${limit}`} aria-label="Limit" />
            <select name="unit" aria-label="Of what" defaultValue={unit}>
              {[...new Set([unit, ...UNITS])].map((each) => (
                <option key={each} selected={each === unit}>
                  {each}
                </option>
              ))}
            </select>
          </span>
        </label>
        <Choice name="window" label="Per" options={WINDOWS} value={budget?.window} />
        <Choice name="scope" label="For" options={scopesOf(props.isOfAll)} value={budget?.scope} />
        <label>
          Models and tools that count
          <input name="targets" defaultValue={budget?.targets.join(", ") ?? ""} placeholder="all" autocomplete="off" aria-describedby="targets-hint" />
          <small id="targets-hint">Names, with commas between; openai/* is all that begin so.</small>
        </label>
        <Choice name="then" label="When it is used up" options={THEN} value={budget?.whenExceeded} />
        <label>
          Warn when used by so many percent
          <input name="warn" type="number" min="1" max="100" step="1" required defaultValue={`${budget?.warnPercent || USUAL_WARNING}`} />
        </label>
        <button type="submit" class="primary">
          {budget ? "Change it" : "Make it"}
        </button>
      </form>
    </Dialog>
  );
}

/** Whose calls may be counted together: an installation's budget may count all. */
function scopesOf(isOfAll: boolean): [BudgetScope, string][] {
  if (!isOfAll) return SCOPES;
  const each = SCOPES.map(([scope, words]): [BudgetScope, string] => [scope, scope === BudgetScope.WORKSPACE ? "each workspace" : words]);
  return [OF_ALL, ...each];
}

function Choice(props: { name: string; label: string; options: [number, string][]; value: number | undefined }): JSX.Element {
  return (
    <label>
      {props.label}
      <select name={props.name}>
        {props.options.map(([value, words]) => (
          <option key={value} value={value} selected={value === props.value}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

function budgetOf(data: FormData, before: Budget | undefined): Budget {
  const [unit, limit] = [`${data.get("unit")}`, Number(data.get("limit"))];
  const scope = Number(data.get("scope")) as BudgetScope;
  const window = Number(data.get("window")) as BudgetWindow;
  const amount =
    unit === "tokens" || unit === "calls"
      ? ({ case: unit, value: BigInt(Math.round(limit)) } as const)
      : ({ case: "money", value: { currency: unit, micros: BigInt(Math.round(limit * 1e6)) } } as const);
  return create(BudgetSchema, {
    name: before?.name ?? `${data.get("name")}`,
    scope,
    window,
    subject: before?.scope === scope ? before.subject : "",
    limit: { amount },
    timeZone: before?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    targets: [...new Set(`${data.get("targets")}`.split(/[\s,]+/).filter(Boolean))],
    whenExceeded: Number(data.get("then")) as WhenExceeded,
    warnPercent: Number(data.get("warn")),
    etag: before?.etag ?? "",
  });
}
