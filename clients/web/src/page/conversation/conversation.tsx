// The open conversation: what was said, and what is being said.

import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Entry, Thread, ToolCall, TurnView } from "../../antiphon";
import { addressOf } from "../address";
import { Composer } from "../composer";
import type { Desk } from "../desk";
import { Icon, Notice } from "../parts";
import { useChanges } from "../use";
import { brief, visible } from "../visible";
import { sentenceOf } from "../words";
import type { Doings } from "./facts";
import type { Deciding } from "./call";
import { useFollowing } from "./following";
import { type Item, hasOnlyCalled, itemsOf } from "./items";
import { Kept } from "./kept";
import { Older } from "./older";
import { Said, isByPerson } from "./said";
import { SeekingBar, useSought } from "./sought";
import { Ended, UnderWay, Unsent } from "./under_way";
import { Versions } from "./versions";

type SaidItem = Extract<Item, { kind: "said" }>;

const GO_ON = "Go on where you stopped.";

/** One conversation, with the place to write in below it. */
export function ConversationView({ desk, thread }: { desk: Desk; thread: Thread }): JSX.Element {
  useChanges(thread);
  const scroll = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const { sought } = desk;
  const { isAtEnd, toEnd, letGo } = useFollowing(scroll, content, thread, sought !== undefined);
  const seeking = useSought(scroll, content, thread, sought, letGo);
  const items = useItems(thread);
  const isEmpty = !items.length && !thread.isLoading;
  return (
    <>
      <div class="scroll" ref={scroll} tabIndex={-1}>
        <div class="said" ref={content} role="log" aria-label="Conversation" aria-busy={thread.isLoading}>
          {thread.isLoading && <Skeleton />}
          <Older thread={thread} scroll={scroll} />
          {isEmpty && !thread.error && <p class="empty">Nothing has been said here yet.</p>}
          {items.map((item) => drawn(item, desk, thread, seeking.place?.turnId))}
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
      <SeekingBar thread={thread} seeking={seeking} />
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

/** All there is to show. What is read on the way to a message is drawn once, when it is there. */
function useItems(thread: Thread): Item[] {
  const before = useRef<Item[]>([]);
  if (thread.reaching === undefined || !before.current.length) before.current = itemsOf(thread);
  return before.current;
}

function drawn(item: Item, desk: Desk, thread: Thread, soughtTurnId: string | undefined): JSX.Element {
  const nameOf = (entry: Entry | undefined) => askerOf(entry, desk, thread);
  switch (item.kind) {
    case "said":
      return said(item, desk, thread);
    case "versions":
      return (
        <Kept key={`versions ${item.question.id}`} role="assistant" text="">
          <Versions
            {...item}
            thread={thread}
            soughtTurnId={soughtTurnId}
            doings={doingsOf(item.question, desk, thread)}
            deciding={decidingOf(desk, thread)}
            say={(entry) => said({ entry, question: undefined, isRepeated: false }, desk, thread)}
          />
        </Kept>
      );
    case "unsent":
      return (
        <Kept key={item.outgoing.turnId} role="user mine" text={item.outgoing.text}>
          <Unsent outgoing={item.outgoing} thread={thread} />
        </Kept>
      );
    case "under way":
      return (
        <Kept key={item.turn.turnId} role="assistant" text={item.turn.text}>
          <UnderWay
            turn={item.turn}
            version={thread.version}
            question={item.question}
            asker={nameOf(item.question)}
            deciding={decidingOf(desk, thread)}
          />
        </Kept>
      );
    case "ended":
      return (
        <Kept key={item.turn.turnId} role="assistant" text="">
          <Ended turn={item.turn} doings={doingsOf(item.question, desk, thread)} deciding={decidingOf(desk, thread)} />
        </Kept>
      );
  }
}

function said(item: Omit<SaidItem, "kind">, desk: Desk, thread: Thread): JSX.Element {
  const { entry, question } = item;
  const turn = thread.turn(entry.turnId);
  return (
    <Kept key={entry.id} role={entry.role} text={entry.text}>
      <Said
        entry={entry}
        address={addressOf(thread.conversationId, entry.id)}
        name={desk.nameOf(entry.author)}
        isMine={entry.author === thread.self && entry.role !== "assistant"}
        turn={!item.isRepeated && footerBelongs(thread, entry, turn) ? turn : undefined}
        version={turn?.isDone ? versionOf(thread, turn) : ""}
        question={question}
        asker={askerOf(question, desk, thread)}
        doings={doingsOf(thread.questionOf(entry), desk, thread, entry)}
        deciding={decidingOf(desk, thread)}
        deciders={turn?.toolCalls.map((call) => decidersOf(call, desk)).join("\n") ?? ""}
      />
    </Kept>
  );
}

/** Changes when more is known of what is told below an answer, and of what others did for it. */
function versionOf(thread: Thread, turn: TurnView): string {
  const all = thread.descendantsOf(turn);
  if (all.some((child) => !child.turn.isDone)) return `live ${thread.version}`;
  const known = all.map((child) => `${child.turn.revision}${child.question ? "q" : ""}${child.answer ? "a" : ""}`);
  return [turn.revision, ...known].join(" ");
}

/** By name who decided about a call, and who answered what its tool asked. */
function decidersOf({ decision, questions }: ToolCall, desk: Desk): string {
  const actors = [decision?.by, ...questions.map(({ reply }) => reply?.by)];
  return actors.map((actor) => (actor ? desk.nameOf(actor) : "")).join(",");
}

function decidingOf(desk: Desk, thread: Thread): Deciding {
  const decide: Deciding["decide"] = (turn, call, approve, reason) => thread.decide(turn, call, approve, reason);
  const read: Deciding["read"] = (call, part, most) => thread.readResult(call, part, most);
  const answer: Deciding["answer"] = (...said) => thread.answer(...said);
  const may = thread.mayWrite ? { decide, answer } : {};
  const childOf: Deciding["childOf"] = (turn, call) => thread.childOf(turn, call);
  const waitsIn = (turn: TurnView) => waitingIn(thread, turn).length > 0;
  return { self: thread.self, read, childOf, waitsIn, nameOf: (actor) => desk.nameOf(actor), ...may };
}

/** The calls that wait for a person, of a turn and of those that it has asked for. */
function waitingIn(thread: Thread, turn: TurnView): ToolCall[] {
  return [turn, ...thread.descendantsOf(turn).map((child) => child.turn)].flatMap((each) => each.waiting);
}

function askerOf(question: Entry | undefined, desk: Desk, thread: Thread): string {
  if (!question) return "";
  return question.author === thread.self ? "You" : desk.nameOf(question.author);
}

/** Only what one asked oneself is asked once more, not of a person who has answered; only the end is gone on with. */
function doingsOf(question: Entry | undefined, desk: Desk, thread: Thread, entry?: Entry): Doings {
  if (question?.author !== thread.self || thread.isArchived || (entry && isByPerson(entry))) return {};
  // Asked for when it is done: what is drawn may be older than what was chosen since.
  const wishes = () => desk.wishesFor(thread.conversationId);
  return {
    again: () => thread.askAgain(question, wishes()),
    // What was said since has gone on already.
    goOn: entry === thread.messages.at(-1) ? () => void thread.ask(GO_ON, wishes()) : undefined,
  };
}

/** Where a turn's figures stand: below its answer, or below the question if none came. */
function footerBelongs(thread: Thread, entry: Entry, turn: TurnView | undefined): boolean {
  if (!turn?.isDone) return false;
  if (entry.role === "assistant") return true;
  return !thread.hasReply(turn) && entry.role === "user" && !hasOnlyCalled(thread, turn);
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

/** Tells those who listen that an answer has come, not each word of it, and that a call waits. */
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
  const waiting = thread.open.flatMap((turn) => waitingIn(thread, turn));
  const newest = waiting.at(-1);
  useEffect(() => {
    if (newest) setWords(wanted(newest, thread.mayWrite));
  }, [newest?.id, newest?.questions.length]);
  return (
    <p class="hidden" aria-live="polite">
      {words}
    </p>
  );
}

function wanted({ tool, arguments: asked, questions }: ToolCall, mayDecide: boolean): string {
  const way = mayDecide ? " Alt + A leads there." : "";
  const question = questions.find(({ reply }) => !reply);
  if (question) return `${visible(tool)} asks: ${sentence(brief(question.message, 200))}${way}`;
  return `${visible(tool)} waits for approval, with ${brief(asked, 200)}.${way}`;
}

const sentence = (words: string) => (/[.?!…]$/.test(words) ? words : `${words}.`);

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
