// A view of one workspace, which can be chosen.

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import type { Desk } from "./desk";

/** The one that is open, or else the first; `more` may be chosen besides. */
export function InWorkspace(props: {
  desk: Desk;
  workspaceId: string;
  label: string;
  empty: string;
  more?: [string, string][];
  children: (parent: string) => ComponentChildren;
}): JSX.Element {
  const { desk, more = [] } = props;
  const [chosen, setChosen] = useState<string>();
  const places = [...more, ...desk.workspaces.map((each): [string, string] => [each.workspaceId, each.displayName])];
  const parent = chosen ?? (props.workspaceId || places[0]?.[0]);
  if (parent === undefined) return <p class="empty">{desk.isLoading ? "" : props.empty}</p>;
  return (
    <div class="usage scroll" tabIndex={0} role="region" aria-label={props.label}>
      {places.length > 1 && (
        <div class="bar">
          <select aria-label="Workspace" value={parent} onChange={(event) => setChosen(event.currentTarget.value)}>
            {places.map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </div>
      )}
      {props.children(parent)}
    </div>
  );
}
