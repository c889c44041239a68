// Tables, filters and figures.

import type { ComponentChildren, JSX } from "preact";
import { Notice, Spinner } from "./parts";

/** One column: its heading, and what stands in a row. */
export interface Column<Row> {
  name: string;
  cell: (row: Row) => ComponentChildren;
  isNumber?: boolean;
}

/** Rows under headings; says if there are none. */
export function Table<Row>(props: {
  label: string;
  columns: Column<Row>[];
  rows: Row[] | undefined;
  keyOf: (row: Row) => string;
  error?: string;
  empty?: string;
  /** In narrow windows each row stands as a block of its own. */
  isStacked?: boolean;
}): JSX.Element {
  const { columns, rows } = props;
  return (
    <>
      {props.error && <Notice text={props.error} />}
      {!rows && !props.error && <Spinner label="Loading" />}
      {rows?.length === 0 && <p class="empty">{props.empty ?? "There is nothing."}</p>}
      {!!rows?.length && (
        <div class="table-scroll" role="region" aria-label={props.label} tabIndex={0}>
          <table class={props.isStacked ? "rows stacked" : "rows"}>
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column.name} scope="col" class={column.isNumber ? "number" : undefined}>
                    {column.name || <span class="hidden">What to do</span>}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={props.keyOf(row)}>
                  {columns.map((column) => (
                    <td key={column.name} class={column.isNumber ? "number" : undefined} data-name={column.name}>
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

/** Which of some there shall be; none chosen means all. */
export function Filter(props: {
  label: string;
  names: string[];
  chosen: Set<string>;
  onChange: (chosen: Set<string>) => void;
}): JSX.Element {
  const toggle = (name: string) => () => {
    const next = new Set(props.chosen);
    if (!next.delete(name)) next.add(name);
    props.onChange(next);
  };
  return (
    <div class="filter" role="group" aria-label={props.label}>
      {props.names.map((name) => (
        <button type="button" key={name} class="chip" aria-pressed={props.chosen.has(name)} onClick={toggle(name)}>
          {name}
        </button>
      ))}
    </div>
  );
}

/** A figure that says how it stands. */
export function Figure(props: { label: string; value: ComponentChildren }): JSX.Element {
  return (
    <div class="figure">
      <span class="quiet">{props.label}</span>
      <strong>{props.value}</strong>
    </div>
  );
}

/** A state in a word and a colour; one that somebody wished for is no alarm. */
export function State({ name, isWished = false }: { name: string; isWished?: boolean }): JSX.Element {
  const kind = isWished
    ? ""
    : /fail|cancel|expired|refused|reused|alarm|disabled|limited|blocked|throttled|failing|^full$|down|degraded|left alone|quarantined/.test(name)
      ? "bad"
      : /succeeded|serving|signed in|delivered|stop|\bup$|^asked$|^ready$/.test(name)
        ? "good"
        : "";
  return <span class={`state ${kind}`}>{name}</span>;
}

/** An enum's value as words, by the enum and its value. */
export function wordOf(names: Record<number, string>, value: number): string {
  return (names[value] ?? `${value}`).toLowerCase().replaceAll("_", " ");
}
