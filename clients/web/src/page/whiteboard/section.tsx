// A section of the whiteboard: what it says, who wrote it, what it was, and ways to write it.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Thread } from "../../antiphon";
import type { Section } from "../../gen/antiphon/memory/v1/whiteboard_pb";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { Icon, Menu, Notice, Spinner } from "../parts";
import { visible } from "../visible";
import { moment, sentenceOf } from "../words";
import { Draft } from "./draft";

const TURN = "turns/";

/** One section. While it is written, it shows what others write there meanwhile. */
export function SectionCard(props: {
  desk: Desk;
  thread: Thread;
  section: Section;
  onWriting: (isOpen: boolean) => void;
  reload: () => void;
}): JSX.Element {
  const { desk, thread, section, onWriting, reload } = props;
  const { conversationId } = thread;
  const { whiteboards } = desk.session.stubs;
  const [shows, show] = useState<"" | "draft" | "past">("");
  const [error, setError] = useState("");
  const draw = (what: typeof shows) => {
    onWriting(what === "draft");
    show(what);
  };
  const writerOf = (it: Section) => nameOf(it, desk, thread);
  const write = async (name: string, text: string, etag: string) => {
    try {
      await whiteboards.writeSection({ conversationId, name, content: { case: "text", value: text }, etag });
    } catch (thrown) {
      reload(); // it may be another one by now
      throw thrown;
    }
  };
  const remove = async () => {
    try {
      await whiteboards.deleteSection({ conversationId, name: section.name, etag: section.etag });
      setError("");
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
    reload();
  };
  if (shows === "draft") {
    const done = () => (draw(""), reload());
    return <Draft {...{ thread, section, writerOf, write }} onDone={done} onCancel={() => draw("")} />;
  }
  return (
    <article aria-label={section.name}>
      <header>
        <h3 dir="auto">{visible(section.name)}</h3>
        <Menu label={`What to do with ${visible(section.name)}`}>
          {(close) => (
            <>
              {thread.mayWrite && (
                <button type="button" onClick={() => (close(), draw("draft"))}>
                  <Icon name="pencil" /> Edit
                </button>
              )}
              <button type="button" onClick={() => (close(), show(shows ? "" : "past"))}>
                <Icon name="retry" /> History
              </button>
              {thread.mayWrite && (
                <button type="button" onClick={() => (close(), void remove())}>
                  <Icon name="close" /> Delete
                </button>
              )}
            </>
          )}
        </Menu>
      </header>
      <p class="text" dir="auto">
        {section.text}
      </p>
      <Written section={section} name={writerOf(section)} />
      {error && <Notice text={error} />}
      {shows === "past" && <Past desk={desk} section={section} conversationId={conversationId} writerOf={writerOf} />}
    </article>
  );
}

function Written({ section, name }: { section: Section; name: string }): JSX.Element {
  const when = section.updateTime ? moment(timestampMs(section.updateTime)) : "";
  return (
    <small class="quiet">
      {when}, {visible(name)}
    </small>
  );
}

/** What it was, the newest first. */
function Past(props: {
  desk: Desk;
  section: Section;
  conversationId: string;
  writerOf: (section: Section) => string;
}): JSX.Element {
  const { desk, section, conversationId, writerOf } = props;
  const { name } = section;
  const { value, error } = useLoaded(
    () => desk.session.stubs.whiteboards.listSectionVersions({ conversationId, name, pageSize: 100 }).then((found) => found.versions),
    [section.etag],
  );
  if (error) return <Notice text={error} />;
  if (!value) return <Spinner label="Loading" />;
  const past = value.filter((each) => each.etag !== section.etag);
  if (!past.length) return <p class="quiet">It was never another one.</p>;
  return (
    <ul class="past" aria-label={`What ${visible(name)} was`}>
      {past.map((each) => (
        <li key={each.etag}>
          <p class="text" dir="auto">
            {each.deleted ? <em>deleted</em> : each.text}
          </p>
          <Written section={each} name={writerOf(each)} />
        </li>
      ))}
    </ul>
  );
}

/** Who wrote it; of a turn who worked on it, if that is known. */
function nameOf({ writer }: Section, desk: Desk, thread: Thread): string {
  if (writer === thread.self) return "you";
  if (!writer.startsWith(TURN)) return desk.nameOf(writer);
  const turn = thread.turn(writer.slice(TURN.length));
  return turn?.handler ? desk.nameOf(`handlers/${turn.handler}`) : "a model";
}
