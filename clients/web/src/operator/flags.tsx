// The flags of all detectors.

import type { JSX } from "preact";
import type { Desk } from "../page/desk";
import { Flags as OfParent } from "../page/flags/flags";

/** Those of the installation's detectors and of all workspaces'. */
export function Flags({ desk }: { desk: Desk }): JSX.Element {
  return (
    <>
      <p class="quiet">Who or what detectors have found out of the ordinary, in all workspaces, by figures alone: no text is kept for it.</p>
      <OfParent desk={desk} parent="global" />
    </>
  );
}
