// Filters in the order in which they look.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Filter } from "../../gen/antiphon/context/v1/filter_pb";
import { IconButton, Notice, Spinner } from "../parts";
import { State } from "../table";
import { visible } from "../visible";
import { failing, finding, looksFor, where } from "./words";

interface ChainProps {
  /** What is said where there are none. */
  empty: string;
  filters: Filter[] | undefined;
  error: string;
  /** How often each had something to say of late, by its name, and how often any had. */
  counts: Map<string, number>;
  all: number;
  onChange: (filters: Filter[]) => void;
  onEdit: (filter: Filter) => void;
}

/** Each with what it looks at, what becomes of what it finds, and ways to change that. */
export function Chain(props: ChainProps): JSX.Element {
  const { filters, error } = props;
  const [told, tell] = useState("");
  const move = (filter: Filter, by: number) => {
    const from = filters!.indexOf(filter);
    const moved = filters!.toSpliced(from, 1).toSpliced(from + by, 0, filter);
    props.onChange(moved);
    tell(`${filter.name} is number ${from + by + 1} of ${moved.length}.`);
    keepFocus(filter, by);
  };
  return (
    <>
      {error && <Notice text={error} />}
      {!filters && !error && <Spinner label="Loading" />}
      {filters?.length === 0 && <p class="quiet">{props.empty}</p>}
      <ol class="queue chain" aria-label="The chain">
        {filters?.map((each) => (
          <li key={each.name}>
            <div class="bar">
              <h3 class="grow">
                {visible(each.name)} <State name={each.disabled ? "disabled" : "on"} isWished={each.disabled} />
              </h3>
              <Ways {...props} filter={each} move={move} />
            </div>
            <Facts filter={each} count={props.counts.get(each.name) ?? 0} all={props.all} />
          </li>
        ))}
      </ol>
      <p class="hidden" role="status">
        {told}
      </p>
    </>
  );
}

function saidOf(count: number, all: number): string {
  return all ? `${count.toLocaleString()} of the last ${all.toLocaleString()} times` : "never";
}

/** What there is to know of one, and how often it had something to say, if that was counted. */
export function Facts({ filter, count = 0, all }: { filter: Filter; count?: number; all?: number }): JSX.Element {
  const facts: [string, string][] = [
    ["looks for", looksFor(filter)],
    ["in", where(filter)],
    ["what it finds", finding(filter)],
    ["what it can't look at", failing(filter)],
    ...(all === undefined ? [] : [["had something to say", saidOf(count, all)] as [string, string]]),
  ];
  return (
    <dl class="facts-of">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Ways(props: ChainProps & { filter: Filter; move: (filter: Filter, by: number) => void }): JSX.Element {
  const { filter, move, onChange } = props;
  const filters = props.filters!;
  const place = filters.indexOf(filter);
  const name = visible(filter.name);
  const toggled = { ...filter, disabled: !filter.disabled };
  const verb = filter.disabled ? "Enable" : "Disable";
  return (
    <span class="row ways">
      <IconButton name="up" label={`Move ${name} up`} disabled={place === 0} onClick={() => move(filter, -1)} />
      <IconButton name="down" label={`Move ${name} down`} disabled={place === filters.length - 1} onClick={() => move(filter, 1)} />
      <button type="button" class="small" aria-label={`${verb} ${name}`} onClick={() => onChange(filters.with(place, toggled))}>
        {verb}
      </button>
      <IconButton name="pencil" label={`Change ${name}`} onClick={() => props.onEdit(filter)} />
      <IconButton name="close" label={`Take ${name} out`} onClick={() => onChange(filters.toSpliced(place, 1))} />
    </span>
  );
}

/** The button goes with its row; at an end, where it moves no further, the other one is next. */
function keepFocus({ name }: Filter, by: number): void {
  const ways = by < 0 ? ["up", "down"] : ["down", "up"];
  requestAnimationFrame(() => {
    const buttons = ways.map((way) => document.querySelector<HTMLButtonElement>(`[aria-label="Move ${name} ${way}"]`));
    buttons.find((button) => button && !button.disabled)?.focus();
  });
}
