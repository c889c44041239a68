// One thing that waits for people: what was said last where it waits, and what can be done about it.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { textOf } from "../../antiphon";
import { MessageRole, type Message } from "../../gen/antiphon/context/v1/message_pb";
import type { QueuedHandoff } from "../../gen/antiphon/dispatcher/v1/handoff_pb";
import { useLoaded } from "../loading";
import { Notice } from "../parts";
import { visible } from "../visible";
import { moment } from "../words";
import { Doing, type DoingProps } from "./doing";
import { nameIn } from "./names";
import { lastSaid } from "./reading";
import { Verdicts } from "./verdicts";

/** Its conversation's last messages, and an answer to it. */
export function Item({ desk, parent, queued, onChange }: DoingProps): JSX.Element {
  const { conversationId } = queued;
  const { value, error } = useLoaded(() => lastSaid(desk, queued), [conversationId]);
  const { heldFor } = queued.handoff!;
  return (
    <div class="queue-item">
      {error && <Notice text={error} />}
      <ol class="last-said">
        {value?.map((message) => (
          <li key={message.messageId} class={classOf(message, queued)}>
            <strong dir="auto">{nameIn(desk, parent, queued, message.author)}</strong>{" "}
            {message.createTime && <small class="quiet">{moment(timestampMs(message.createTime))}</small>}
            <p class="plain" dir="auto">
              {textOf(message.parts)}
            </p>
          </li>
        ))}
      </ol>
      {heldFor && <Verdicts desk={desk} queued={queued} />}
      <p class="quiet">
        {otherwiseOf(queued)} <a href={`#/c/${conversationId}`}>Open the conversation</a>
      </p>
      <Doing desk={desk} parent={parent} queued={queued} onChange={onChange} />
    </div>
  );
}

/** What becomes of it when nobody goes on, or somebody declines. */
function otherwiseOf({ handoff }: QueuedHandoff): string {
  const what = handoff?.otherwise?.what;
  if (handoff?.heldFor && !what?.case) return `It is for ${visible(handoff.heldFor)}. If nobody lets it go on, it ends without an answer.`;
  if (what?.case === "text") return `If nobody answers, this is said: “${visible(what.value)}”.`;
  if (what?.case === "handler") return `If nobody answers, ${visible(what.value)} goes on.`;
  return "If nobody answers, it ends without an answer.";
}

/** What a filter holds stands out. */
function classOf({ messageId, role }: Message, { handoff, item }: QueuedHandoff): string {
  if (handoff?.heldFor && messageId === item.value?.messageId) return "held";
  return role === MessageRole.ASSISTANT ? "quiet" : "";
}
