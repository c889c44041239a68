// Rules that are replaced as a whole: as they stand, as they shall be, and as they were.

import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { Icon, Notice } from "../parts";
import { History, Newest } from "./history";
import { Setting } from "./setting";

const AGAIN_MS = 10_000;

/** Rules as they stand or stood, and who has set them, and why. */
export interface Revision<Rule> {
  rules: Rule[];
  revision: bigint;
  creator: string;
  createTime?: Timestamp | undefined;
  comment: string;
}

/** How those of a parent are read and set. */
export interface Kept<Rule> {
  /** Those of a revision, 0 for the newest. */
  read: (revision: bigint) => Promise<Revision<Rule>>;
  /** All of them at once, unless others were set since a revision was seen. */
  set: (rules: Rule[], comment: string, seen: bigint) => Promise<Revision<Rule>>;
  /** What they were, the newest first, without themselves. */
  revisions: () => Promise<Revision<Rule>[]>;
}

interface RulesProps<Rule> {
  desk: Desk;
  parent: string;
  kept: Kept<Rule>;
  title: string;
  /** What one of them is called. */
  one: string;
  /** What is said while they are changed and not set yet. */
  waiting: string;
  list: (rules: Rule[] | undefined, error: string, change: (rules: Rule[]) => void, edit: (rule: Rule) => void) => ComponentChildren;
  dialog: (rule: Rule | undefined, put: (rule: Rule) => void, close: () => void) => ComponentChildren;
  /** What stands between them and their history; a `draft` is not set yet. */
  between?: (draft: Rule[] | undefined) => ComponentChildren;
}

/** They are changed here and then set as a whole, so that nobody meets half of a change. */
export function Rules<Rule extends { name: string }>(props: RulesProps<Rule>): JSX.Element {
  const { desk, parent, kept } = props;
  const { value, error, reload } = useLoaded(() => kept.read(0n), [parent], AGAIN_MS);
  const [draft, setDraft] = useState<{ rules: Rule[]; seen: bigint }>();
  const [dialog, open] = useState<Rule | "new">();
  const [told, tell] = useState("");
  const shown = draft?.rules ?? value?.rules;
  const change = (rules: Rule[]) => {
    tell("");
    setDraft({ rules, seen: draft?.seen ?? value!.revision });
  };
  const put = (rule: Rule) => {
    const place = dialog === "new" ? -1 : shown!.findIndex(({ name }) => name === dialog!.name);
    change(place < 0 ? [...shown!, rule] : shown!.with(place, rule));
  };
  const set = async (comment: string) => {
    const now = await kept.set(draft!.rules, comment, draft!.seen);
    setDraft(undefined);
    tell(`Revision ${now.revision.toLocaleString()} holds from now on.`);
    reload();
  };
  const discard = () => {
    setDraft(undefined);
    reload();
  };
  return (
    <>
      <section>
        <div class="bar">
          <h2 class="grow">{props.title}</h2>
          {shown && (
            <button type="button" class="small" onClick={() => open("new")}>
              <Icon name="plus" /> New {props.one}
            </button>
          )}
        </div>
        {draft && value && value.revision > draft.seen && (
          <Notice text="Somebody has set others meanwhile. Discard your changes to see them." />
        )}
        {props.list(shown, error, change, open)}
        {draft && <Setting waiting={props.waiting} onSet={set} onRefused={reload} onDiscard={discard} />}
        <p class="quiet" role="status">
          {told}
        </p>
        {value && value.revision > 0n && !draft && <Newest desk={desk} parent={parent} revision={value} />}
        {dialog && props.dialog(dialog === "new" ? undefined : dialog, put, () => open(undefined))}
      </section>
      {props.between?.(draft?.rules)}
      {value && value.revision > 0n && (
        <History
          desk={desk}
          parent={parent}
          kept={kept}
          now={value.revision}
          onTake={({ rules }) => setDraft({ rules, seen: value.revision })}
        />
      )}
    </>
  );
}
