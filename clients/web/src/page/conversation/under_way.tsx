// What is on its way: a message that is being sent, an answer that is being given.

import type { JSX } from "preact";
import type { Entry, Outgoing, Thread, TurnView } from "../../antiphon";
import { isOfTime } from "../filters/sentences";
import { Notice } from "../parts";
import { useNow, useSteady } from "../use";
import { visible } from "../visible";
import { duration, timelessOf } from "../words";
import { Answer } from "./answer";
import type { Deciding } from "./call";
import { type Doings, Facts } from "./facts";
import { Head, ReplyTo } from "./head";
import { statusOf } from "./status";

/** What was said here and is on its way. */
export function Unsent({ outgoing, thread }: { outgoing: Outgoing; thread: Thread }): JSX.Element {
  const isFailed = outgoing.state === "failed" && !outgoing.isHeld;
  return (
    <article class={`message user mine ${isFailed ? "failed" : "sending"}`} aria-label="You, not sent yet">
      <h2 class="hidden">You</h2>
      <div class="body">
        <p class="plain" dir="auto">
          {outgoing.text}
        </p>
      </div>
      <Sending outgoing={outgoing} thread={thread} />
    </article>
  );
}

/** How it stands with sending it. */
export function Sending({ outgoing, thread }: { outgoing: Outgoing; thread: Thread }): JSX.Element {
  const { error } = outgoing;
  const choices = (
    <>
      {error?.isRefusal ? (
        <button type="button" class="link" onClick={() => thread.takeBack(outgoing)}>
          Change it
        </button>
      ) : (
        <button type="button" class="link" onClick={() => thread.retry(outgoing)}>
          {outgoing.isHeld ? "Try now" : "Send again"}
        </button>
      )}
      <button type="button" class="link" onClick={() => thread.discard(outgoing)}>
        Discard
      </button>
    </>
  );
  if (outgoing.state === "failed" && !outgoing.isHeld) {
    return (
      <>
        <Notice text={timelessOf(error)}>{choices}</Notice>
        {error && isOfTime(error) && error.retryAtMs > 0 && <Until ms={error.retryAtMs} />}
      </>
    );
  }
  return (
    <div class="facts" role="status">
      {outgoing.isHeld ? (
        <>
          <span>will be sent when connected</span>
          {choices}
        </>
      ) : (
        "sending…"
      )}
    </div>
  );
}

/** When it may be sent again; a timer is not read out each second, as a notice would be. */
function Until({ ms }: { ms: number }): JSX.Element {
  const left = Math.ceil((ms - useNow(1000)) / 1000);
  return (
    <p class="facts" role="timer">
      {left > 0 ? `It can be sent again in ${duration(left * 1000)}.` : "It can be sent again now."}
    </p>
  );
}

/** An answer that is being given. */
export function UnderWay(props: {
  turn: TurnView;
  version: number;
  question: Entry | undefined;
  asker: string;
  deciding: Deciding;
}): JSX.Element {
  const { turn, deciding } = props;
  const now = useNow(1000);
  const name = turn.handler || "assistant";
  const text = useSteady(turn.text);
  const waited = turn.startMs ? now - turn.startMs : 0;
  return (
    <article class="message assistant under-way" aria-label={`${name} is answering`} aria-busy={!turn.waiting.length}>
      <Head name={name} actor={`handlers/${name}`} timeMs={0} />
      <ReplyTo question={props.question} name={props.asker} />
      <Answer text={text} turn={turn} deciding={deciding} />
      {turn.handoff?.heldFor && (
        <p class="plain" dir="auto">
          {visible(turn.handoff.reason)} An admin of the conversation looks at it, and lets it go on or refuses it.
        </p>
      )}
      <footer class="facts">
        <span class="pulse" aria-hidden="true">
          <i />
          <i />
          <i />
        </span>
        <span>{statusOf(turn)}</span>
        {waited > 3000 && <span class="quiet">{duration(waited)}</span>}
        {turn.fraction !== undefined && <progress value={turn.fraction} max={1} aria-label="Progress" />}
      </footer>
    </article>
  );
}

/** A turn that has ended without an answer, perhaps after calls. */
export function Ended({ turn, doings, deciding }: { turn: TurnView; doings: Doings; deciding: Deciding }): JSX.Element {
  const name = turn.handler || "assistant";
  return (
    <article class="message assistant" aria-label={`${name}, no answer`}>
      <Head name={name} actor={`handlers/${name}`} timeMs={turn.endMs} />
      <Answer text="" turn={turn} deciding={deciding} />
      <Facts turn={turn} text="" isTruncated={false} doings={doings} />
    </article>
  );
}
