// The budgets of a workspace: how much of each is used; admins put and delete them.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { listed } from "../../antiphon";
import { Role } from "../../gen/antiphon/auth/v1/access_pb";
import type { BudgetUse } from "../../gen/antiphon/integration/v1/budget_service_pb";
import { type Budget, type BudgetState, BudgetScope, BudgetWindow, WhenExceeded } from "../../gen/antiphon/integration/v1/budget_pb";
import type { Desk } from "../desk";
import { ConfirmDialog } from "../dialogs";
import { useLoaded } from "../loading";
import { Icon, IconButton, Notice, Spinner } from "../parts";
import { moment, money } from "../words";
import { PutBudgetDialog } from "./put";

const MOST = 100;
const AGAIN_MS = 10_000;
/** The parent of the installation's budgets. */
export const OF_ALL = "global";
const WHOSE: Partial<Record<BudgetScope, string>> = {
  [BudgetScope.INSTALLATION]: "all workspaces",
  [BudgetScope.WORKSPACE]: "the workspace",
  [BudgetScope.USER]: "each person",
  [BudgetScope.API_KEY]: "each API key",
  [BudgetScope.CONVERSATION]: "each conversation",
  [BudgetScope.TURN]: "each answer",
};
const PERIODS: Partial<Record<BudgetWindow, string>> = {
  [BudgetWindow.MINUTE]: "a minute",
  [BudgetWindow.HOUR]: "an hour",
  [BudgetWindow.DAY]: "a day",
  [BudgetWindow.MONTH]: "a month",
  [BudgetWindow.ONCE]: "in all",
};

/** What is limited, and what can be done about it. */
export function BudgetsSection({ desk, parent }: { desk: Desk; parent: string }): JSX.Element {
  const { budgets } = desk.session.stubs;
  const [dialog, setDialog] = useState<{ put?: Budget | "new"; remove?: string }>({});
  const read = () =>
    listed(
      (pageToken) => budgets.listBudgets({ parent, pageToken }),
      (page) => page.budgets,
      MOST,
    );
  const { value, error, reload } = useLoaded(read, [], AGAIN_MS);
  const { value: isManaged } = useLoaded(() => manages(desk, parent), []);
  const close = () => setDialog({});
  return (
    <section>
      <div class="bar">
        <h2 class="grow">Budgets</h2>
        {isManaged && (
          <button type="button" class="small" onClick={() => setDialog({ put: "new" })}>
            <Icon name="plus" /> New budget
          </button>
        )}
      </div>
      {error && <Notice text={error} />}
      {!value && !error && <Spinner label="Loading" />}
      {value?.length === 0 && <p class="quiet">There are none, so nothing is limited {parent === OF_ALL ? "over all workspaces" : "in this workspace"}.</p>}
      <ul class="budgets">
        {value?.map((each) => (
          <Used
            key={each.budget!.name}
            desk={desk}
            parent={parent}
            use={each}
            onPut={isManaged ? () => setDialog({ put: each.budget! }) : undefined}
            onRemove={isManaged ? () => setDialog({ remove: each.budget!.name }) : undefined}
          />
        ))}
      </ul>
      {dialog.put && (
        <PutBudgetDialog
          budget={dialog.put === "new" ? undefined : dialog.put}
          isOfAll={parent === OF_ALL}
          onPut={async (budget) => {
            await budgets.putBudget({ parent, budget, mustBeNew: dialog.put === "new" });
            reload();
          }}
          onClose={close}
        />
      )}
      {dialog.remove && (
        <ConfirmDialog
          title={`Delete the budget ${dialog.remove}?`}
          text="It limits nothing more. Calls that are under way end as they would have."
          button="Delete"
          onConfirm={async () => {
            await budgets.deleteBudget({ parent, name: dialog.remove! });
            reload();
          }}
          onClose={close}
        />
      )}
    </section>
  );
}

function Used(props: {
  desk: Desk;
  parent: string;
  use: BudgetUse;
  onPut: (() => void) | undefined;
  onRemove: (() => void) | undefined;
}): JSX.Element {
  const { desk, parent, use, onPut, onRemove } = props;
  const budget = use.budget!;
  const limit = limitOf(budget);
  const unused = { subject: "", spent: 0n, reserved: 0n, left: limit } as BudgetState;
  const states = use.states.length ? use.states : [unused];
  return (
    <li>
      <div class="bar">
        <strong>{budget.name}</strong>
        <span class="quiet grow">
          {amount(budget, limit)} {PERIODS[budget.window] ?? ""}, {whose(desk, parent, budget.subject, budget)}
          {budget.targets.length ? `, for ${budget.targets.join(", ")}` : ""}
          {budget.whenExceeded === WhenExceeded.NEXT_MODEL ? "; then the next model" : ""}
        </span>
        {onPut && <IconButton name="pencil" label={`Change ${budget.name}`} onClick={onPut} />}
        {onRemove && <IconButton name="close" label={`Delete ${budget.name}`} onClick={onRemove} />}
      </div>
      {states.map((state) => (
        <Meter
          key={state.subject}
          whose={states.length > 1 || !isOne(parent, budget) ? whose(desk, parent, state.subject, budget) : ""}
          budget={budget}
          state={state}
        />
      ))}
    </li>
  );
}

function Meter({ whose, budget, state }: { whose: string; budget: Budget; state: BudgetState }): JSX.Element {
  const limit = limitOf(budget);
  const share = (value: bigint) => (limit ? Math.min(100, (Number(value) / Number(limit)) * 100) : 100);
  const used = state.spent + state.reserved;
  const isNear = share(used) >= (budget.warnPercent || 80);
  const until = state.endTime ? `, anew ${moment(timestampMs(state.endTime))}` : "";
  const words = [
    `${amount(budget, state.spent)} spent`,
    `${amount(budget, state.reserved)} reserved`,
    `${amount(budget, state.left)} left${until}`,
  ].join(" · ");
  return (
    <div class={`meter ${isNear ? "near" : ""}`}>
      <div class="meter-bar" aria-hidden="true">
        <span class="spent" style={{ width: `${share(state.spent)}%` }} />
        <span class="reserved" style={{ width: `${Math.min(share(state.reserved), 100 - share(state.spent))}%` }} />
      </div>
      <p class="quiet">
        {whose && <b>{whose}: </b>}
        {words}
      </p>
    </div>
  );
}

function whose(desk: Desk, parent: string, subject: string, budget: Budget): string {
  if (subject.startsWith("user_")) return desk.names.of(`users/${subject}`, [parent]);
  if (subject.startsWith("conv_")) {
    const [id, turn] = subject.split("/");
    const title = desk.conversations.find((each) => each.conversationId === id)?.title || id;
    return turn ? `an answer in ${title}` : `${title}`;
  }
  if (subject.startsWith("key_")) return `the API key ${subject}`;
  if (subject.startsWith("ws_")) return desk.workspaces.find((each) => each.workspaceId === subject)?.displayName || subject;
  return parent === OF_ALL && budget.scope === BudgetScope.WORKSPACE ? "each workspace" : (WHOSE[budget.scope] ?? "");
}

/** Whether there is one sum, which needs no name. */
function isOne(parent: string, { scope }: Budget): boolean {
  return scope === (parent === OF_ALL ? BudgetScope.INSTALLATION : BudgetScope.WORKSPACE);
}

/** What a budget allows, in what it counts. */
export function limitOf({ limit }: Budget): bigint {
  const { amount } = limit!;
  return amount.case === "money" ? amount.value.micros : (amount.value ?? 0n);
}

function amount({ limit }: Budget, value: bigint): string {
  const counted = limit!.amount;
  return counted.case === "money" ? money(value, counted.value.currency) : `${value.toLocaleString()} ${counted.case ?? ""}`;
}

/** Whether one may change them. */
/** Whether one may say what holds there. */
export async function manages(desk: Desk, resource: string): Promise<boolean> {
  const { user } = desk.session;
  if (!user || resource === OF_ALL) return !!user?.operator;
  try {
    const { member } = await desk.session.stubs.context.getMember({ resource, userId: user.userId });
    return member?.role === Role.OWNER || member?.role === Role.ADMIN;
  } catch {
    return false; // the server would refuse as well
  }
}
