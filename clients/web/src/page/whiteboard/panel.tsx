// The conversation's whiteboard, beside what is said: its sections, and a place to begin another.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Thread } from "../../antiphon";
import type { Section, Whiteboard } from "../../gen/antiphon/memory/v1/whiteboard_pb";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { IconButton, Notice, Spinner } from "../parts";
import { sentenceOf } from "../words";
import { Draft, NONE_YET } from "./draft";
import { SectionCard } from "./section";

/** Where the browser keeps whether it is open. */
export const BESIDE = "antiphon.whiteboard";
const MOST_SECTIONS = 16;

/** Read anew whenever the log says that it was written on. */
export function WhiteboardPanel(props: { desk: Desk; thread: Thread; onClose: () => void }): JSX.Element {
  const { desk, thread, onClose } = props;
  const { conversationId, mayWrite } = thread;
  const { whiteboards } = desk.session.stubs;
  const { value, error, reload } = useLoaded(
    () => whiteboards.getWhiteboard({ conversationId }).then((found) => found.whiteboard),
    [conversationId, thread.notes],
  );
  const [isBeginning, setBeginning] = useState(false);
  // What somebody is writing stays, also if the section is deleted meanwhile.
  const [written, setWritten] = useState<Section[]>([]);
  const there = value?.sections ?? [];
  const gone = written.filter((each) => !there.some(({ name }) => name === each.name));
  const sections = [...there, ...gone.map((each) => ({ ...each, text: "", etag: NONE_YET, deleted: true }))];
  const writing = (section: Section, isOpen: boolean) =>
    setWritten((was) => [...was.filter(({ name }) => name !== section.name), ...(isOpen ? [section] : [])]);
  return (
    <aside class="whiteboard" aria-label="Whiteboard">
      <header>
        <h2>Whiteboard</h2>
        <IconButton name="close" label="Close the whiteboard" onClick={onClose} />
      </header>
      {error && <Notice text={error} />}
      {!value && !error && <Spinner label="Loading" />}
      {value && !sections.length && !isBeginning && (
        <p class="quiet">Working notes for everybody here. Each answer of a model is written with them in view.</p>
      )}
      {sections.map((each) => (
        <SectionCard
          key={each.name}
          desk={desk}
          thread={thread}
          section={each}
          onWriting={(isOpen) => writing(each, isOpen)}
          reload={reload}
        />
      ))}
      {isBeginning && (
        <Draft
          thread={thread}
          write={(name, text, etag) => whiteboards.writeSection({ conversationId, name, content: { case: "text", value: text }, etag })}
          onDone={() => (setBeginning(false), reload())}
          onCancel={() => setBeginning(false)}
        />
      )}
      {mayWrite && value && !isBeginning && there.length < MOST_SECTIONS && (
        <button type="button" onClick={() => setBeginning(true)}>
          Add a section
        </button>
      )}
      {value && value.version > 0n && <Keeping desk={desk} board={value} mayWrite={mayWrite} reload={reload} />}
    </aside>
  );
}

/** How long it stays. */
function Keeping(props: { desk: Desk; board: Whiteboard; mayWrite: boolean; reload: () => void }): JSX.Element {
  const { board, mayWrite, reload } = props;
  const [error, setError] = useState("");
  /** What somebody has just chosen stands there until the board says it, too. */
  const [wish, setWish] = useState<boolean>();
  useEffect(() => setWish(undefined), [board.kept]);
  const keep = async (kept: boolean) => {
    setWish(kept);
    try {
      await props.desk.session.stubs.whiteboards.keepWhiteboard({ conversationId: board.conversationId, kept });
      setError("");
    } catch (thrown) {
      setError(sentenceOf(thrown));
      setWish(undefined);
    }
    reload();
  };
  const goes = board.expireTime ? new Date(timestampMs(board.expireTime)).toLocaleDateString() : "";
  return (
    <footer>
      {error && <Notice text={error} />}
      <label>
        <input
          type="checkbox"
          checked={wish ?? board.kept}
          disabled={!mayWrite}
          onChange={(event) => void keep(event.currentTarget.checked)}
        />
        Keep it as long as the conversation
      </label>
      {goes && <p class="quiet">It goes on {goes} if nobody writes on it.</p>}
    </footer>
  );
}
