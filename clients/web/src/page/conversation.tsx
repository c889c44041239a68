// The open conversation: what was said, and what is being said.

import type { JSX } from "preact";
import { memo } from "preact/compat";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Entry, type Outgoing, type Thread, type TurnView, isQueued } from "../antiphon";
import { TurnState } from "../gen/antiphon/events/v1/event_pb";
import { Composer } from "./composer";
import type { Desk } from "./desk";
import { useFollowing } from "./following";
import { Kept } from "./kept";
import { Markdown } from "./markdown";
import { Avatar, CopyButton, Icon, Notice, Spinner } from "./parts";
import { useChanges, useNow, useSteady } from "./use";
import { consumed, cutShort, duration, inWords, leftOut, moment, sentenceOf } from "./words";

/** One conversation, with the place to write in below it. */
export function ConversationView({ desk, thread }: { desk: Desk; thread: Thread }): JSX.Element {
  useChanges(thread);
  const scroll = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const { isAtEnd, toEnd } = useFollowing(scroll, content, thread);
  const { messages, open, outgoing } = thread;
  const isEmpty = !messages.length && !outgoing.length && !thread.isLoading;
  return (
    <>
      <div class="scroll" ref={scroll} tabIndex={-1}>
        <div class="said" ref={content} role="log" aria-label="Conversation" aria-busy={thread.isLoading}>
          {thread.isLoading && <Skeleton />}
          <Older thread={thread} scroll={scroll} />
          {isEmpty && !thread.error && <p class="empty">Nothing has been said here yet.</p>}
          {messages.map((entry) => {
            const turn = thread.turn(entry.turnId);
            return (
              <Kept key={entry.id} role={entry.role} text={entry.text}>
                <Said
                  entry={entry}
                  name={desk.nameOf(entry.author)}
                  isMine={entry.author === thread.self}
                  turn={footerBelongs(thread, entry, turn) ? turn : undefined}
                  version={turn?.isDone ? turn.revision + 1 : 0}
                  onAgain={thread.mayAskAgain(entry) ? () => thread.askAgain(entry, desk.wishes) : undefined}
                />
              </Kept>
            );
          })}
          {outgoing.map((each) => (
            <Kept key={each.turnId} role="user mine" text={each.text}>
              <Unsent outgoing={each} thread={thread} />
            </Kept>
          ))}
          {open
            .filter((turn) => !thread.hasReply(turn))
            .map((turn) => (
              <Kept key={turn.turnId} role="assistant" text={turn.text}>
                <UnderWay turn={turn} version={thread.version} />
              </Kept>
            ))}
          {thread.error && (
            <Notice text={sentenceOf(thread.error)}>
              <button type="button" class="link" onClick={() => location.reload()}>
                Reload
              </button>
            </Notice>
          )}
        </div>
      </div>
      <Announcer thread={thread} />
      <div class="dock">
        {!isAtEnd && (
          <button type="button" class="to-end" onClick={toEnd} aria-label="To the newest message">
            <Icon name="down" />
          </button>
        )}
        <Typing desk={desk} thread={thread} />
        <Composer desk={desk} thread={thread} onSent={toEnd} />
      </div>
    </>
  );
}

/** Where a turn's figures stand: below its answer, or below the question if none came. */
function footerBelongs(thread: Thread, entry: Entry, turn: TurnView | undefined): boolean {
  if (!turn?.isDone) return false;
  if (entry.role === "assistant") return true;
  return !thread.hasReply(turn) && entry.role === "user";
}

/** Older messages come when their place is seen; what is read stays where it is. */
function Older({ thread, scroll }: { thread: Thread; scroll: { current: HTMLDivElement | null } }) {
  const mark = useRef<HTMLDivElement>(null);
  const height = useRef(0);
  const load = () => {
    height.current = scroll.current?.scrollHeight ?? 0;
    void thread.loadOlder();
  };
  useEffect(() => {
    if (!mark.current || !scroll.current) return;
    const seen = new IntersectionObserver(([entry]) => entry?.isIntersecting && load(), {
      root: scroll.current,
      rootMargin: "300px",
    });
    seen.observe(mark.current);
    return () => seen.disconnect();
  }, [thread, thread.hasOlder, thread.messages.length]);
  useLayoutEffect(() => {
    const { current } = scroll;
    if (!current || !height.current || thread.isLoadingOlder) return;
    current.scrollTop += current.scrollHeight - height.current;
    height.current = 0;
  }, [thread.messages.length, thread.isLoadingOlder]);
  if (!thread.hasOlder) return null;
  return (
    <div class="older" ref={mark}>
      {thread.isLoadingOlder ? (
        <Spinner label="Loading earlier messages" />
      ) : (
        <button type="button" class="link" onClick={load}>
          Earlier messages
        </button>
      )}
    </div>
  );
}

interface SaidProps {
  entry: Entry;
  name: string;
  isMine: boolean;
  turn: TurnView | undefined;
  version: number;
  onAgain: (() => void) | undefined;
}

const Said = memo(
  function Said({ entry, name, isMine, turn, onAgain }: SaidProps): JSX.Element {
    const isAnswer = entry.role === "assistant";
    return (
      <article id={entry.id} class={`message ${entry.role} ${isMine ? "mine" : ""}`} aria-label={`${isMine ? "You" : name}, ${moment(entry.timeMs)}`}>
        {!isMine && <Head name={name} actor={entry.author} timeMs={entry.timeMs} />}
        {turn && isAnswer && <Tools turn={turn} />}
        <div class="body">
          {isAnswer ? <Markdown text={entry.text} /> : <p class="plain">{entry.text}</p>}
          {entry.others.map((part, index) => (
            <p key={index} class="quiet">
              {inWords(part)}
            </p>
          ))}
        </div>
        <footer class="facts">
          {turn ? <Facts turn={turn} isTruncated={entry.isTruncated} /> : entry.isTruncated && "cut off here"}
          {isAnswer && <CopyButton text={entry.text} label="Copy message" />}
          {onAgain && turn && turn.state !== TurnState.SUCCEEDED && (
            <button type="button" class="link" onClick={onAgain}>
              Ask again
            </button>
          )}
        </footer>
      </article>
    );
  },
  (a, b) =>
    a.entry === b.entry &&
    a.name === b.name &&
    a.turn === b.turn &&
    a.version === b.version &&
    a.isMine === b.isMine &&
    !a.onAgain === !b.onAgain,
);

function Head({ name, actor, timeMs }: { name: string; actor: string; timeMs: number }) {
  return (
    <header class="who">
      <Avatar actor={actor} name={name} />
      <strong>{name}</strong>
      {timeMs > 0 && <time dateTime={new Date(timeMs).toISOString()}>{moment(timeMs)}</time>}
    </header>
  );
}

const ENDINGS: Partial<Record<TurnState, string>> = {
  [TurnState.CANCELLED]: "stopped",
  [TurnState.FAILED]: "broken off",
  [TurnState.EXPIRED]: "out of time",
};

/** How a turn ended: why, by which model, for how much, how fast. */
function Facts({ turn, isTruncated }: { turn: TurnView; isTruncated: boolean }): JSX.Element {
  const ending = ENDINGS[turn.state] ?? (cutShort(turn.finishReason) || (isTruncated && "cut off"));
  const isWished = turn.state === TurnState.CANCELLED;
  const took = turn.endMs && turn.startMs ? duration(turn.endMs - turn.startMs) : "";
  const facts = [turn.model, consumed(turn.usage), leftOut(turn.omittedMessages), took].filter(Boolean);
  return (
    <>
      {turn.error && <Notice text={sentenceOf(turn.error)} />}
      <span class="fact-line">
        {ending && <span class={`ending ${isWished ? "" : "wrong"}`}>{ending}</span>}
        {facts.map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
      </span>
    </>
  );
}

/** What was said here and is on its way. */
function Unsent({ outgoing, thread }: { outgoing: Outgoing; thread: Thread }) {
  const isFailed = outgoing.state === "failed";
  return (
    <article class={`message user mine ${isFailed ? "failed" : "sending"}`} aria-label="You, not sent yet">
      <div class="body">
        <p class="plain">{outgoing.text}</p>
      </div>
      {isFailed ? (
        <Notice text={sentenceOf(outgoing.error)}>
          <button type="button" class="link" onClick={() => thread.retry(outgoing)}>
            Send again
          </button>
          <button type="button" class="link" onClick={() => thread.discard(outgoing)}>
            Discard
          </button>
        </Notice>
      ) : (
        <footer class="facts">sending…</footer>
      )}
    </article>
  );
}

/** An answer that is being given. */
function UnderWay({ turn }: { turn: TurnView; version: number }): JSX.Element {
  const now = useNow(1000);
  const name = turn.handler || "assistant";
  const text = useSteady(turn.text);
  const waited = turn.startMs ? now - turn.startMs : 0;
  return (
    <article class="message assistant under-way" aria-label={`${name} is answering`} aria-busy="true">
      <Head name={name} actor={`handlers/${name}`} timeMs={0} />
      <Tools turn={turn} />
      {text && (
        <div class="body">
          <Markdown text={text} />
        </div>
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

function statusOf(turn: TurnView): string {
  if (turn.isStopping) return "stopping…";
  if (isQueued(turn)) return turn.ahead ? `waiting for ${turn.ahead} before it` : "waiting";
  return turn.text ? "answering" : turn.status || "thinking";
}

/** The tools that were called for an answer. */
function Tools({ turn }: { turn: TurnView }): JSX.Element | null {
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

function Typing({ desk, thread }: { desk: Desk; thread: Thread }): JSX.Element {
  useChanges(thread.company);
  const names = thread.company.writers.map((actor) => desk.nameOf(actor));
  const verb = names.length === 1 ? "is" : "are";
  return (
    <p class="typing" aria-live="polite">
      {names.length > 0 && `${names.slice(0, 3).join(", ")} ${verb} typing…`}
    </p>
  );
}

/** Tells those who listen that an answer has come, not each word of it. */
function Announcer({ thread }: { thread: Thread }): JSX.Element {
  const [words, setWords] = useState("");
  const last = thread.messages.at(-1);
  const lastId = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (thread.isLoading || !last) return;
    const isNew = lastId.current !== undefined && lastId.current !== last.id;
    lastId.current = last.id;
    if (isNew && last.role === "assistant") setWords(`Answer: ${last.text.slice(0, 600)}`);
  }, [last?.id, thread.isLoading]);
  return (
    <p class="hidden" aria-live="polite">
      {words}
    </p>
  );
}

function Skeleton(): JSX.Element {
  return (
    <div class="skeleton" aria-hidden="true">
      <i class="short" />
      <i />
      <i />
      <i class="half" />
    </div>
  );
}
