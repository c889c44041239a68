// A formula in an answer.

import type { JSX } from "preact";
import { useContext, useMemo } from "preact/hooks";
import { MessageAllowance } from "./allowance";
import { Lazy, useLazy } from "./lazily";

const typesetting = new Lazy(async () => (await import("./mathml")).typeset);

/** A formula as it is set, or as it was written while that is loaded or where it can't be read in bounds. */
export function Formula({ tex, isBlock }: { tex: string; isBlock: boolean }): JSX.Element {
  const typeset = useLazy(typesetting, true);
  const allowance = useContext(MessageAllowance);
  const read = useMemo(() => typeset?.(tex, isBlock, allowance), [typeset, tex, isBlock, allowance]);
  const set = read ?? <code>{tex}</code>;
  if (!isBlock) return <span class="formula">{set}</span>;
  return (
    <div class="formula" tabIndex={0} role="group" aria-label="Formula" dir="ltr">
      {set}
    </div>
  );
}
