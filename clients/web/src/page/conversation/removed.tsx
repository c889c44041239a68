// That filters took something out of what was said, or of what a tool returned.

import type { JSX } from "preact";
import type { Removed as Cut } from "../../antiphon";
import { foundIn } from "../filters/categories";
import { Icon } from "../parts";
import { visible } from "../visible";

/** Who took out what; nothing where nothing was. */
export function Removed({ removed }: { removed: Cut[] }): JSX.Element | null {
  if (!removed.length) return null;
  const told = removed.map(({ filter, categories }) => `${foundIn(categories)} (filter ${visible(filter)})`);
  return (
    <p class="removed">
      <Icon name="shield" /> taken out before it was stored: {told.join("; ")}
    </p>
  );
}
