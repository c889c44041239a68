// Something that is remembered: what it says, where it is from, what it was, and ways to change it.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Memory, type MemoryKind, MemoryState } from "../../gen/antiphon/memory/v1/memory_pb";
import type { ExportedMemory } from "../../gen/antiphon/memory/v1/memory_service_pb";
import { addressOf } from "../address";
import { Icon, Menu } from "../parts";
import { visible } from "../visible";
import { Draft } from "./draft";
import { KINDS, cameOf, dayOf, holdsOf, placeOf } from "./words";

const SHORT = 40;

/** `self` is who looks; `newer` what has taken its place, if that is known. */
export function One(props: {
  self: string;
  memory: Memory;
  versions: ExportedMemory["versions"];
  newer: Memory | undefined;
  onCorrect: (text: string, kind: MemoryKind) => Promise<void>;
  onForget: () => void;
}): JSX.Element {
  const { self, memory, versions, newer } = props;
  const [shows, show] = useState<"" | "draft" | "past">("");
  const isPast = memory.state === MemoryState.SUPERSEDED;
  const close = () => show("");
  const save = async (text: string, kind: MemoryKind) => {
    await props.onCorrect(text, kind);
    close();
  };
  const title = briefly(memory.text);
  const about = [holdsOf(memory), cameOf(memory, self), placeOf(memory)].filter(Boolean).join(" · ");
  return (
    <article class={`memory ${isPast ? "past-one" : ""}`} aria-label={title}>
      <header>
        <span class="tag">{KINDS[memory.kind] ?? "something"}</span>
        {isPast && <span class="tag">no more so</span>}
        <span class="grow" />
        <Menu label={`What to do with ${title}`}>
          {(shut) => (
            <>
              {!isPast && (
                <button type="button" onClick={() => (shut(), show("draft"))}>
                  <Icon name="pencil" /> Correct
                </button>
              )}
              {versions.length > 0 && (
                <button type="button" onClick={() => (shut(), show(shows === "past" ? "" : "past"))}>
                  <Icon name="retry" /> Earlier versions
                </button>
              )}
              <button type="button" onClick={() => (shut(), props.onForget())}>
                <Icon name="close" /> Forget
              </button>
            </>
          )}
        </Menu>
      </header>
      {shows === "draft" ? (
        <Draft text={memory.text} kind={memory.kind} onSave={save} onCancel={close} />
      ) : (
        <p class="text" dir="auto">
          {visible(memory.text)}
        </p>
      )}
      {memory.entities.length > 0 && (
        <ul class="chips" aria-label="Names in it">
          {memory.entities.map((each) => (
            <li key={each} class="chip" dir="auto">
              {visible(each)}
            </li>
          ))}
        </ul>
      )}
      <p class="quiet about">{about}</p>
      {newer && (
        <p class="quiet about" dir="auto">
          Now: {visible(newer.text)}
        </p>
      )}
      <Sources memory={memory} />
      {shows === "past" && <Past versions={versions} title={title} />}
    </article>
  );
}

/** Links to the messages that it comes from. */
function Sources({ memory }: { memory: Memory }): JSX.Element | null {
  const seen = memory.sources.filter((each) => each.messageId);
  const hidden = memory.sources.length - seen.length;
  const places = new Map(seen.map((each) => [each.messageId, each]));
  if (!memory.sources.length) return null;
  return (
    <p class="about from">
      {places.size > 0 && "From: "}
      {[...places.values()].map(({ conversationId, messageId }, at) => (
        <a key={messageId} href={addressOf(conversationId, messageId)}>
          {places.size === 1 ? "the message" : `message ${at + 1}`}
        </a>
      ))}
      {hidden > 0 && <span class="quiet">{places.size ? "and what you may not read any more" : "From what you may not read any more"}</span>}
    </p>
  );
}

/** What it was before it was corrected, the newest first. */
function Past({ versions, title }: { versions: ExportedMemory["versions"]; title: string }): JSX.Element {
  return (
    <ul class="past" aria-label={`What ${title} was`}>
      {versions.map((each) => (
        <li key={each.version}>
          <p class="text" dir="auto">
            {visible(each.text)}
          </p>
          <small class="quiet">{each.updateTime ? dayOf(timestampMs(each.updateTime)) : ""}</small>
        </li>
      ))}
    </ul>
  );
}

/** The beginning of what it says, to tell it from others. */
export function briefly(text: string): string {
  const shown = visible(text);
  return shown.length > SHORT ? `${shown.slice(0, SHORT).trimEnd()}…` : shown;
}
