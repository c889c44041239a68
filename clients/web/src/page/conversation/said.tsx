// A message that was said.

import type { JSX } from "preact";
import { memo } from "preact/compat";
import type { Entry, TurnView } from "../../antiphon";
import { Icon } from "../parts";
import { inWords, moment } from "../words";
import { Answer } from "./answer";
import type { Deciding } from "./call";
import { type Doings, Facts } from "./facts";
import { Head, ReplyTo, When } from "./head";
import { Removed } from "./removed";

const HELD = "held by a filter until a person has looked at it; no later answer is given with it";

interface SaidProps {
  entry: Entry;
  /** Its own address, which can be shared. */
  address: string;
  name: string;
  isMine: boolean;
  /** The turn whose end is told below it. */
  turn: TurnView | undefined;
  version: string;
  question: Entry | undefined;
  asker: string;
  doings: Doings;
  deciding: Deciding;
  /** Who decided about the turn's calls, by name. */
  deciders: string;
}

/** Whether a person gave the answer, in the place of a handler. */
export function isByPerson({ role, author }: Entry): boolean {
  return role === "assistant" && author.startsWith("users/");
}

/** A question or an answer; drawn again only when something of it has changed. */
export const Said = memo(
  function Said({ entry, address, name, isMine, turn, question, asker, doings, deciding }: SaidProps): JSX.Element {
    const isAnswer = entry.role === "assistant";
    const isPerson = isByPerson(entry);
    const called = isPerson ? `${name}, a person` : name;
    return (
      <article
        id={entry.id}
        class={`message ${entry.role} ${isMine ? "mine" : ""} ${entry.isAside ? "apart" : ""}`}
        aria-label={`${isMine ? "You" : called}, ${moment(entry.timeMs)}`}
      >
        {isMine ? (
          <h2 class="hidden">You</h2>
        ) : (
          <Head name={name} actor={entry.author} timeMs={entry.timeMs} address={address} type={entry.type} isPerson={isPerson} />
        )}
        <ReplyTo question={question} name={asker} />
        {entry.isErased && (
          <p class="aside">
            <Icon name="shield" /> erased: what was said here is gone
          </p>
        )}
        {isAnswer && <Answer text={entry.text} turn={turn} deciding={deciding} />}
        {!entry.isErased && (!isAnswer || entry.others.length > 0) && (
          <div class="body">
            {isMine && entry.type && <p class="quiet">{entry.type}</p>}
            {!isAnswer && (
              <p class="plain" dir="auto">
                {entry.text}
              </p>
            )}
            {entry.others.map((part, index) => (
              <p key={index} class="quiet">
                {inWords(part)}
              </p>
            ))}
          </div>
        )}
        {isMine && (
          <p class="when">
            <When timeMs={entry.timeMs} address={address} />
          </p>
        )}
        <Removed removed={entry.removed} />
        {entry.isAside && !entry.isErased && (
          <p class="aside">
            <Icon name={entry.wasHeld ? "shield" : "people"} /> {entry.wasHeld ? HELD : "for the people here; no model is told"}
          </p>
        )}
        {(isAnswer || turn) && (
          <Facts turn={turn} text={isAnswer ? entry.text : ""} isTruncated={entry.isTruncated} doings={doings} />
        )}
      </article>
    );
  },
  (a, b) =>
    a.entry === b.entry &&
    a.name === b.name &&
    a.turn === b.turn &&
    a.version === b.version &&
    a.isMine === b.isMine &&
    a.question === b.question &&
    a.asker === b.asker &&
    a.deciders === b.deciders &&
    !a.doings.again === !b.doings.again &&
    !a.doings.goOn === !b.doings.goOn,
);
