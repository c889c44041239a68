// The tools that were called for an answer.

import type { JSX } from "preact";
import type { TurnView } from "../../antiphon";
import { Icon, Notice, Spinner } from "../parts";

/** Each with what it was asked and what came of it. */
export function Tools({ turn }: { turn: TurnView }): JSX.Element | null {
  if (!turn.toolCalls.length) return null;
  return (
    <div class="tools">
      {turn.toolCalls.map((call) => (
        <details key={call.id}>
          <summary>
            <Icon name="tool" />
            <span>{call.tool}</span>
            {call.error ? <span class="ending">failed</span> : call.isDone ? <Icon name="check" /> : <Spinner label="running" />}
          </summary>
          <pre tabIndex={0}>{call.arguments}</pre>
          {call.result && <pre tabIndex={0}>{call.result}</pre>}
          {call.error && <Notice text={call.error.rawMessage} />}
        </details>
      ))}
    </div>
  );
}
