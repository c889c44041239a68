// Above a message: who says it, and what it answers.

import type { JSX } from "preact";
import type { Entry } from "../../antiphon";
import { Avatar, Icon } from "../parts";
import { moment } from "../words";

const FLASH_MS = 1_600;

/** Who says it, and when: also how one finds from message to message by headings. */
export function Head(props: {
  name: string;
  actor: string;
  timeMs: number;
  address?: string;
  type?: string;
  isPerson?: boolean;
}): JSX.Element {
  const { name, actor, timeMs, address, type, isPerson } = props;
  return (
    <header class="who">
      <Avatar actor={actor} name={name} />
      <h2 dir="auto">{name}</h2>
      {isPerson && (
        <small class="quiet by-person">
          <Icon name="person" /> a person
        </small>
      )}
      {type && <small class="quiet">{type}</small>}
      <When timeMs={timeMs} address={address} />
    </header>
  );
}

/** When it was said; leads to the message by its own address, which can be copied. */
export function When({ timeMs, address }: { timeMs: number; address: string | undefined }): JSX.Element | null {
  if (timeMs <= 0) return null;
  const time = <time dateTime={new Date(timeMs).toISOString()}>{moment(timeMs)}</time>;
  if (!address) return time;
  return (
    <a class="own-address" href={address} aria-label={`${moment(timeMs)}, link to this message`} title="Link to this message">
      {time}
    </a>
  );
}

/** Which question an answer belongs to; leads there. */
export function ReplyTo({ question, name }: { question: Entry | undefined; name: string }): JSX.Element | null {
  if (!question) return null;
  const show = () => {
    const asked = document.getElementById(question.id);
    asked?.scrollIntoView({ block: "center" });
    asked?.classList.add("flash");
    setTimeout(() => asked?.classList.remove("flash"), FLASH_MS);
  };
  return (
    <button type="button" class="reply-to" onClick={show}>
      <span class="hidden">Answers </span>
      <strong dir="auto">{name}</strong>
      <span class="grow" dir="auto">
        {question.text.slice(0, 200)}
      </span>
    </button>
  );
}
