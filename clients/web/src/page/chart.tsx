// Bars over time, drawn as SVG.

import type { JSX } from "preact";
import { useId } from "preact/hooks";

const WIDTH = 420;
const HEIGHT = 150;
const LEFT = 62;
const BOTTOM = 22;
const TOP = 8;

/** One bar: what it is called, and parts that stand on each other. */
export interface Bar {
  name: string;
  parts: number[];
}

/** Bars with an axis. `words` say a value; the table beside says all to who can't see it. */
export function Chart(props: {
  title: string;
  bars: Bar[];
  series: string[];
  words: (value: number) => string;
}): JSX.Element {
  const id = useId();
  const { bars, words } = props;
  const most = Math.max(...bars.map((bar) => sum(bar.parts)), 0);
  const top = nice(most || 1);
  const height = HEIGHT - TOP - BOTTOM;
  const step = (WIDTH - LEFT) / Math.max(bars.length, 1);
  const y = (value: number) => TOP + height * (1 - value / top);
  const every = Math.ceil(bars.length / 6);
  return (
    <figure class="chart">
      <figcaption>
        {props.title}
        <span class="legend">
          {props.series.length > 1 &&
            props.series.map((name, index) => (
              <span key={name}>
                <i class={`series-${index}`} /> {name}
              </span>
            ))}
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-labelledby={id}>
        <title id={id}>
          {`${props.title}: ${bars.map((bar) => `${bar.name} ${words(sum(bar.parts))}`).join(", ")}`}
        </title>
        {(most ? [0, top / 2, top] : [0]).map((value) => (
          <g key={value}>
            <line class="grid" x1={LEFT} x2={WIDTH} y1={y(value)} y2={y(value)} />
            <text class="axis" x={LEFT - 6} y={y(value) + 4} text-anchor="end">
              {words(value)}
            </text>
          </g>
        ))}
        {bars.map((bar, index) => {
          let below = 0;
          return (
            <g key={bar.name}>
              {bar.parts.map((part, series) => {
                below += part;
                return (
                  <rect
                    key={series}
                    class={`series-${series}`}
                    x={LEFT + index * step + step * 0.12}
                    width={Math.max(step * 0.76, 1)}
                    y={y(below)}
                    height={Math.max((height * part) / top, 0)}
                  >
                    <title>{`${bar.name}: ${words(part)} ${props.series[series] ?? ""}`}</title>
                  </rect>
                );
              })}
              {index % every === 0 && (
                <text class="axis" x={LEFT + (index + 0.5) * step} y={HEIGHT - 6} text-anchor="middle">
                  {bar.name}
                </text>
              )}
            </g>
          );
        })}
      </svg>
    </figure>
  );
}

function sum(parts: number[]): number {
  return parts.reduce((total, part) => total + part, 0);
}

/** The next round figure. */
function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((each) => each * power >= value) ?? 10) * power;
}
