// What a model asks for a million tokens of each kind, also of long prompts.

import type { JSX } from "preact";
import type { Model, ModelPrices } from "../gen/antiphon/integration/v1/model_pb";
import { priceOf } from "../page/words";

const KINDS = {
  input: "read",
  cached: "cached",
  cacheWrite: "put into the cache",
  audioInput: "heard",
  cachedAudio: "heard, cached",
  output: "written",
  reasoning: "thought",
  audioOutput: "spoken",
  request: "each call",
} as const;
type Kind = keyof typeof KINDS;

/** A line for prompts of any length, and one for each length from which on others hold. */
export function Prices({ model: { prices } }: { model: Model }): JSX.Element {
  if (!prices.length) return <span class="quiet">unknown</span>;
  if (!prices.some((each) => priced(each).some(([, micros]) => micros > 0n))) return <>free</>;
  return (
    <>
      {prices.map((each) => (
        <span key={`${each.aboveTokens}`} class="prices">
          {each.aboveTokens > 0n && <b>above {each.aboveTokens.toLocaleString()} tokens</b>}
          {priced(each).map(([kind, micros]) => (
            <span key={kind}>
              <span class="quiet">{KINDS[kind]}</span> {priceOf(micros, each.input?.currency ?? "")}
            </span>
          ))}
        </span>
      ))}
    </>
  );
}

/** The kinds that have a price of their own. */
function priced(prices: ModelPrices): [Kind, bigint][] {
  const kinds = Object.keys(KINDS) as Kind[];
  return kinds.flatMap((kind): [Kind, bigint][] => (prices[kind] ? [[kind, prices[kind].micros]] : []));
}
