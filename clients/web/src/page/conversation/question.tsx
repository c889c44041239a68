// What a call's tool asks people: a form made of its fields, or a page that is told and never opened.

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Field, type Question, type Reply, ToolAnswerAction, type Value } from "../../antiphon";
import { Notice } from "../parts";
import { visible } from "../visible";
import { sentenceOf } from "../words";

/** Throws AntiphonError. */
export type Answer = (action: ToolAnswerAction, content: Record<string, Value> | undefined) => Promise<void>;

/** A question that waits; `onAnswer` is missing where one may not answer. */
export function Asked(props: { question: Question; onAnswer: Answer | undefined; onGone: () => void }): JSX.Element {
  const { question, onAnswer } = props;
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => {
    const { current } = form;
    return () => {
      if (current?.contains(document.activeElement)) props.onGone();
    };
  }, []);
  const answer = async (action: ToolAnswerAction, content?: Record<string, Value>) => {
    if (isBusy) return;
    setBusy(true);
    setError("");
    try {
      await onAnswer!(action, content);
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
    setBusy(false);
  };
  const send = (event: Event) => {
    event.preventDefault();
    const content = question.url ? undefined : contentOf(question.fields, new FormData(form.current!));
    void answer(ToolAnswerAction.ACCEPTED, content);
  };
  const message = visible(question.message);
  return (
    <div role="group" aria-label={message}>
      <form ref={form} class="decide asked" onSubmit={send}>
        <p dir="auto">{message}</p>
        {question.url && <Page url={question.url} />}
        {error && <Notice text={error} />}
        {onAnswer && (
          <>
            {question.fields.map((field) => (
              <FieldOf key={field.name} field={field} id={`${question.id}-${field.name}`} />
            ))}
            {!question.askedOf && <p class="quiet">Whoever asks reads what you say, and so can everybody here.</p>}
            <button type="submit" class="primary" aria-disabled={isBusy}>
              {question.url ? "Done" : "Send answer"}
            </button>
            <button type="button" aria-disabled={isBusy} onClick={() => void answer(ToolAnswerAction.DECLINED)}>
              Decline
            </button>
          </>
        )}
      </form>
    </div>
  );
}

/** Text alone: who trusts the host goes there. */
function Page({ url }: { url: string }): JSX.Element {
  return (
    <p>
      It wants a page of <bdi class="call-name">{new URL(url).host}</bdi> to be visited: <code dir="ltr">{visible(url)}</code>
    </p>
  );
}

function FieldOf({ field, id }: { field: Field; id: string }): JSX.Element {
  const told = visible(field.description);
  return (
    <label for={id}>
      <span>
        {visible(field.title)}
        {!field.isRequired && <span class="quiet"> (optional)</span>}
        {told && <span class="quiet described">{told}</span>}
      </span>
      <Input field={field} id={id} />
    </label>
  );
}

function Input({ field, id }: { field: Field; id: string }): JSX.Element {
  const { name, type, choices, initial, isRequired } = field;
  if (type === "boolean") return <input id={id} name={name} type="checkbox" defaultChecked={initial === true} />;
  if (type === "array" || choices.length > 0) {
    const chosen = Array.isArray(initial) ? initial : [initial];
    return (
      <select id={id} name={name} multiple={type === "array"} required={isRequired}>
        {type !== "array" && initial === undefined && <option value="" />}
        {choices.map(({ value, title }) => (
          <option key={value} value={value} selected={chosen.includes(value)}>
            {visible(title)}
          </option>
        ))}
      </select>
    );
  }
  const value = initial === undefined ? "" : `${initial}`;
  const shared = { id, name, required: isRequired, defaultValue: value, autocomplete: "off" };
  if (type === "string") return <input {...shared} type="text" maxLength={field.maxLength} />;
  const step = type === "integer" ? 1 : "any";
  return <input {...shared} type="number" step={step} min={field.minimum} max={field.maximum} />;
}

/** What was filled in; what was left empty is left out. */
function contentOf(fields: Field[], data: FormData): Record<string, Value> {
  const content: Record<string, Value> = {};
  for (const { name, type, isRequired } of fields) {
    const said = `${data.get(name) ?? ""}`;
    const some = data.getAll(name).map(String);
    if (type === "boolean") content[name] = data.has(name);
    else if (type === "array" && some.length > 0) content[name] = some;
    else if (type === "array") continue;
    else if (type === "string" && (said || isRequired)) content[name] = said;
    else if (said) content[name] = Number(said);
  }
  return content;
}

const DONE: Partial<Record<ToolAnswerAction, string>> = {
  [ToolAnswerAction.ACCEPTED]: "Answered",
  [ToolAnswerAction.DECLINED]: "Declined",
};

/** What was said to a question, by whom. */
export function Replied({ question, reply, by }: { question: Question; reply: Reply; by: string }): JSX.Element {
  const done = DONE[reply.action];
  return (
    <p class="call-told" dir="auto">
      “{visible(question.message)}” {done ? `${done} by ` : "Nobody answered in time."}
      {done && <bdi>{by}</bdi>}
      {reply.content && (
        <>
          : <code dir="ltr">{visible(reply.content)}</code>
        </>
      )}
    </p>
  );
}
