// Writing a section: what somebody else has written meanwhile is shown beside one's own, and not written over.

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Thread, errorOf } from "../../antiphon";
import type { Section } from "../../gen/antiphon/memory/v1/whiteboard_pb";
import { Notice } from "../parts";
import { sentenceOf } from "../words";

const MOST_NAME = 48;
/** The etag of a section that isn't there. */
export const NONE_YET = "none";

/** `section` is what it is now; none for one that is begun. `writerOf` says who wrote that. */
export function Draft(props: {
  thread: Thread;
  section?: Section;
  writerOf?: (section: Section) => string;
  write: (name: string, text: string, etag: string) => Promise<unknown>;
  onDone: () => void;
  onCancel: () => void;
}): JSX.Element {
  const { section } = props;
  const [etag, setEtag] = useState(section?.etag ?? NONE_YET);
  const [name, setName] = useState(section?.name ?? "");
  const [text, setText] = useState(section?.text ?? "");
  const [error, setError] = useState("");
  const first = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  useLayoutEffect(() => first.current?.focus(), []); // before the next key comes
  const isOld = section !== undefined && section.etag !== etag;
  const save = async (seen: string) => {
    try {
      await props.write(name.trim(), text, seen);
      props.onDone();
    } catch (thrown) {
      const isTaken = !section && errorOf(thrown).reason === "ETAG_MISMATCH";
      setError(isTaken ? "There is a section of that name: open it, or choose another name." : sentenceOf(thrown));
    }
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void save(etag);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.stopPropagation(); // it stops no answer
    props.onCancel();
  };
  const takeTheirs = () => {
    if (!section) return;
    setText(section.text);
    setEtag(section.etag);
    setError("");
  };
  return (
    <article>
      <form onSubmit={submit} onKeyDown={press}>
        {!section && (
          <label>
            Name
            <input
              ref={first}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
              required
              maxLength={MOST_NAME}
              autocomplete="off"
            />
          </label>
        )}
        <textarea
          ref={section ? first : undefined}
          dir="auto"
          aria-label={section ? `What ${section.name} says` : "What it says"}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        {isOld && (
          <>
            <Notice text={section.deleted ? "It was deleted meanwhile." : `Written meanwhile by ${props.writerOf?.(section) ?? "somebody"}:`} />
            {!section.deleted && (
              <p class="text theirs" dir="auto">
                {section.text}
              </p>
            )}
          </>
        )}
        {error && !isOld && <Notice text={error} />}
        <div class="row end">
          <button type="button" class="small" onClick={props.onCancel}>
            Cancel
          </button>
          {isOld ? (
            <>
              {!section.deleted && (
                <button type="button" class="small" onClick={takeTheirs}>
                  Take theirs
                </button>
              )}
              <button type="button" class="small primary" onClick={() => void save(section.etag)}>
                {section.deleted ? "Write mine all the same" : "Write mine over it"}
              </button>
            </>
          ) : (
            <button type="submit" class="small primary">
              Save
            </button>
          )}
        </div>
      </form>
    </article>
  );
}
