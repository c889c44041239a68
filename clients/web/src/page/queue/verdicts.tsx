// What filters said of what they hold.

import type { JSX } from "preact";
import { saidBy, wantedBy } from "../filters/words";
import type { QueuedHandoff } from "../../gen/antiphon/dispatcher/v1/handoff_pb";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { Notice } from "../parts";
import { visible } from "../visible";
import { screeningsOf } from "./reading";

/** Each filter with what it has found, and what is to become of that. */
export function Verdicts({ desk, queued }: { desk: Desk; queued: QueuedHandoff }): JSX.Element {
  const { value, error } = useLoaded(() => screeningsOf(desk, queued), [queued.handoff!.handoffId]);
  const verdicts = value?.flatMap((each) => each.verdicts) ?? [];
  return (
    <>
      {error && <Notice text={error} />}
      <dl class="facts-of" aria-label="What filters found">
        {verdicts.map((each) => (
          <div key={`${each.parent} ${each.filter}`}>
            <dt>filter {visible(each.filter)}</dt>
            <dd>
              {saidBy(each)}, which {wantedBy(each)}
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}
