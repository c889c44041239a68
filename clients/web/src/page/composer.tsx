// Where one writes: the text, who shall answer, send and stop.

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { NOBODY, type Outgoing, type Thread, type Wishes, firstOf, isAnswered } from "../antiphon";
import type { Desk } from "./desk";
import { Icon, Notice } from "./parts";
import { sentenceOf } from "./words";

const MOST_BYTES = 262_144;
const NO_FILES =
  "Pictures and files can't be sent from here: the server keeps none. Paste their text, or the address where they are.";
const DRAFT = "draft.";

/** Writing in a conversation, or the first words of a new one. */
export function Composer(props: {
  desk: Desk;
  thread?: Thread;
  workspaceId?: string;
  onSent?: () => void;
  onBegun?: (conversationId: string) => void;
}): JSX.Element {
  const { desk, thread } = props;
  const place = thread?.conversationId ?? "";
  const wishes = desk.wishesFor(place);
  const draft = DRAFT + (thread?.conversationId ?? "new");
  const [text, setText] = useState(() => desk.memory.get<string>(draft) ?? "");
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const isAnswering = !!thread && (thread.open.length > 0 || thread.outgoing.some(isAnswered));

  useEffect(() => {
    setText(desk.memory.get<string>(draft) ?? "");
    setError("");
    // On a touch screen it would bring up the keyboard over what is to be read.
    if (!matchMedia("(pointer: coarse)").matches) area.current?.focus();
  }, [draft]);
  useTakenBack(thread, text, (refused) => {
    setText(text.trim() ? `${refused.text}\n\n${text}` : refused.text);
    setError(sentenceOf(refused.error));
    area.current?.focus();
  });
  useEffect(() => desk.memory.set(draft, text || undefined), [text]);
  useLayoutEffect(() => {
    const { current } = area;
    if (!current) return;
    current.style.height = "auto";
    current.style.height = `${Math.min(current.scrollHeight, innerHeight * 0.4)}px`;
  }, [text]);
  useEffect(() => refuseFiles(() => setError(NO_FILES)), []);

  if (thread?.isErased) return <p class="archived">All that was said here was erased: nobody writes here any more.</p>;
  if (thread?.isArchived) return <Archived thread={thread} />;

  const send = async () => {
    const said = text.trim();
    if (!said || isBusy) return;
    if (new TextEncoder().encode(said).length > MOST_BYTES) {
      setError("That is too long: at most 256 KiB.");
      return;
    }
    setError("");
    if (thread) {
      setText("");
      void thread.ask(said, wishes);
      props.onSent?.();
      return;
    }
    setBusy(true);
    try {
      const id = await desk.begin(said, props.workspaceId ?? "");
      setText("");
      desk.memory.set(draft, undefined);
      props.onBegun?.(id);
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
    setBusy(false);
  };
  const stop = () => thread?.stopAll().catch((thrown) => setError(sentenceOf(thrown)));
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      void send();
    } else if (event.key === "Escape" && isAnswering) {
      event.preventDefault();
      void stop();
    }
  };
  const onInput = (event: InputEvent) => {
    const said = (event.currentTarget as HTMLTextAreaElement).value;
    setText(said);
    thread?.setTyping(said.trim() !== "");
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {error && <Notice text={error} />}
      <div class="writing">
        <textarea
          ref={area}
          rows={1}
          dir="auto"
          value={text}
          placeholder={wishes.handler === NOBODY ? "Say something to the people here" : "Say something"}
          aria-label="Message"
          onInput={onInput}
          onKeyDown={onKeyDown}
          onBlur={() => thread?.setTyping(false)}
        />
        <div class="writing-bar">
          <Choices desk={desk} place={place} workspaceId={props.workspaceId ?? ""} />
          {isAnswering && (
            <button type="button" class="round stop" onClick={stop} aria-label="Stop the answer" title="Stop (Esc)">
              <Icon name="stop" />
            </button>
          )}
          <button type="submit" class="round send" disabled={!text.trim() || isBusy} aria-label="Send" title="Send (Enter)">
            <Icon name="send" />
          </button>
        </div>
      </div>
    </form>
  );
}

/** What a filter refused comes back to be changed: when somebody wants it, and by itself where nothing else is written. */
function useTakenBack(thread: Thread | undefined, text: string, take: (refused: Outgoing) => void): void {
  const isEmpty = !text.trim();
  // Before anything is painted: nobody sees it twice, or hears of it twice.
  const refused = thread?.outgoing.find(isToBeChanged);
  useLayoutEffect(() => {
    if (isEmpty && refused) thread?.takeBack(refused);
  }, [isEmpty, refused]);
  const { takenBack } = thread ?? {};
  useLayoutEffect(() => {
    if (!thread || !takenBack) return;
    thread.takenBack = undefined;
    take(takenBack);
  }, [takenBack]);
}

/** What is asked once more stays where it was asked first, and what programs said is not changed by hand. */
function isToBeChanged({ state, error, turnId, wishes }: Outgoing): boolean {
  return state === "failed" && error?.isRefusal === true && firstOf(turnId) === turnId && !wishes.type;
}

/** Say aloud that no file is taken, which would else do nothing, or take the page's place. */
function refuseFiles(tell: () => void): () => void {
  const over = (event: DragEvent) => event.dataTransfer?.types.includes("Files") && event.preventDefault();
  const drop = (event: DragEvent) => {
    over(event);
    if (event.defaultPrevented) tell();
  };
  // A text's own picture comes with the text.
  const paste = ({ clipboardData }: ClipboardEvent) =>
    clipboardData?.types.includes("Files") && !clipboardData.types.includes("text/plain") && tell();
  addEventListener("dragover", over);
  addEventListener("drop", drop);
  addEventListener("paste", paste);
  return () => {
    removeEventListener("dragover", over);
    removeEventListener("drop", drop);
    removeEventListener("paste", paste);
  };
}

/** In the place of it where nothing is taken any more. */
function Archived({ thread }: { thread: Thread }): JSX.Element {
  const [error, setError] = useState("");
  return (
    <div class="archived">
      {error && <Notice text={error} />}
      <p>This conversation is archived.</p>
      <button type="button" onClick={() => thread.unarchive().catch((thrown) => setError(sentenceOf(thrown)))}>
        <Icon name="unarchive" /> Use it again
      </button>
    </div>
  );
}

/** Who shall answer, and by which model; shown where there is a choice. */
function Choices({ desk, place, workspaceId }: { desk: Desk; place: string; workspaceId: string }): JSX.Element {
  const wishes = desk.wishesFor(place);
  const fallback = desk.modelOf(desk.thread?.conversation);
  const isDefault = (name: string) => desk.handlers.some((each) => each.default && each.name === name);
  const isRouted = desk.isRouted(place, workspaceId);
  const isNamed = isRouted !== false || isDefault(wishes.handler); // else the default is as good as nobody named
  const choose = (wish: keyof Wishes) => (event: Event) => {
    const { value } = event.currentTarget as HTMLSelectElement;
    desk.wish(place, { ...wishes, [wish]: value });
  };
  return (
    <span class="choices">
      {desk.handlers.length > 0 && (
        <select aria-label="Who answers" value={wishes.handler} onChange={choose("handler")}>
          {isNamed && (
            <option value="" title="Rules find who answers, by what you say and where; the default does where there are none.">
              {isRouted ? "by routes" : "by default"}
            </option>
          )}
          {desk.handlers.map((handler) => (
            <option key={handler.name} value={handler.default && !isNamed ? "" : handler.name} title={handler.description}>
              {handler.name}
            </option>
          ))}
          <option value={NOBODY} title="What you say is for the people in the conversation.">
            nobody
          </option>
        </select>
      )}
      {desk.models.length > 0 && desk.asksModel(wishes) && (
        <select aria-label="Model" value={wishes.model} onChange={choose("model")}>
          <option value="">{fallback?.name ?? "the server's model"}</option>
          {desk.models
            .filter((model) => model !== fallback)
            .map((model) => (
              <option key={model.name} value={model.name} disabled={model.missing !== ""} title={model.missing}>
                {model.name}
              </option>
            ))}
        </select>
      )}
    </span>
  );
}
