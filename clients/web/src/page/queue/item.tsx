// One thing that waits for people: what was said last where it waits, and what can be done about it.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { textOf } from "../../antiphon";
import { MessageRole, type Message } from "../../gen/antiphon/context/v1/message_pb";
import type { QueuedHandoff } from "../../gen/antiphon/dispatcher/v1/handoff_pb";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { Notice } from "../parts";
import { visible } from "../visible";
import { moment, sentenceOf } from "../words";
import { nameIn } from "./names";

const LAST = 8;

type Props = { desk: Desk; parent: string; queued: QueuedHandoff; onChange: () => void };

/** Its conversation's last messages, and an answer to it. */
export function Item({ desk, parent, queued, onChange }: Props): JSX.Element {
  const { conversationId } = queued;
  const { value, error } = useLoaded(() => newest(desk, conversationId), [conversationId]);
  return (
    <div class="queue-item">
      {error && <Notice text={error} />}
      <ol class="last-said">
        {value?.map((message) => (
          <li key={message.messageId} class={message.role === MessageRole.ASSISTANT ? "quiet" : ""}>
            <strong dir="auto">{nameIn(desk, parent, queued, message.author)}</strong>{" "}
            {message.createTime && <small class="quiet">{moment(timestampMs(message.createTime))}</small>}
            <p class="plain" dir="auto">
              {textOf(message.parts)}
            </p>
          </li>
        ))}
      </ol>
      <p class="quiet">
        {otherwiseOf(queued)} <a href={`#/c/${conversationId}`}>Open the conversation</a>
      </p>
      <Doing desk={desk} parent={parent} queued={queued} onChange={onChange} />
    </div>
  );
}

function Doing({ desk, parent, queued, onChange }: Props): JSX.Element {
  const [text, setText] = useState("");
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  const { handoffs } = desk.session.stubs;
  const { handoffId, claimedBy } = queued.handoff!;
  const which = { conversationId: queued.conversationId, handoffId };
  const isMine = claimedBy === desk.session.actor;
  const isTaken = claimedBy !== "" && !isMine;
  const act = (work: () => Promise<unknown>) => async () => {
    setBusy(true);
    setError("");
    try {
      await work();
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
    setBusy(false);
    onChange();
  };
  const answer = act(() => handoffs.answerHandoff({ ...which, text: text.trim() }));
  if (queued.item.case !== "turn") return <p class="quiet">This page is older than what waits here: reload it.</p>;
  return (
    <form
      class="answer-handoff"
      onSubmit={(event) => {
        event.preventDefault();
        void answer();
      }}
    >
      {error && <Notice text={error} />}
      {isTaken && <p class="quiet">{visible(nameIn(desk, parent, queued, claimedBy))} is at it.</p>}
      <textarea
        aria-label="Your answer"
        placeholder="Your answer, in your name"
        rows={3}
        dir="auto"
        value={text}
        disabled={isTaken}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <div class="row end">
        {isTaken && (
          <button type="button" class="small" disabled={isBusy} onClick={act(() => handoffs.claimHandoff({ ...which, takeOver: true }))}>
            Take over
          </button>
        )}
        {!claimedBy && (
          <button type="button" class="small" disabled={isBusy} onClick={act(() => handoffs.claimHandoff(which))}>
            Claim
          </button>
        )}
        {isMine && (
          <button type="button" class="small" disabled={isBusy} onClick={act(() => handoffs.releaseHandoff(which))}>
            Release
          </button>
        )}
        <button type="button" class="small" disabled={isBusy || isTaken} onClick={act(() => handoffs.declineHandoff(which))}>
          Decline
        </button>
        <button type="button" class="small" disabled={isBusy || isTaken} onClick={act(() => handoffs.returnHandoff(which))}>
          Give back
        </button>
        <button type="submit" class="primary small" disabled={isBusy || isTaken || !text.trim()}>
          Answer
        </button>
      </div>
    </form>
  );
}

/** What becomes of it when nobody goes on, or somebody declines. */
function otherwiseOf({ handoff }: QueuedHandoff): string {
  const what = handoff?.otherwise?.what;
  if (what?.case === "text") return `If nobody answers, this is said: “${visible(what.value)}”.`;
  if (what?.case === "handler") return `If nobody answers, ${visible(what.value)} goes on.`;
  return "If nobody answers, it ends without an answer.";
}

async function newest(desk: Desk, conversationId: string): Promise<Message[]> {
  const { messages } = await desk.session.stubs.context.listMessages({ conversationId, pageSize: LAST });
  return messages.toReversed();
}
