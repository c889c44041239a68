// What is remembered about oneself: all of it, to look through, correct, add to and forget.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { type Memory, type MemoryKind, MemoryState } from "../../gen/antiphon/memory/v1/memory_pb";
import type { ExportedMemory } from "../../gen/antiphon/memory/v1/memory_service_pb";
import type { Desk } from "../desk";
import { ConfirmDialog } from "../dialogs";
import { More, usePaged } from "../paging";
import { Choice, Icon, Notice, Spinner } from "../parts";
import { Draft } from "./draft";
import { One, briefly } from "./one";
import { KINDS } from "./words";

const AGAIN_MS = 30_000;
const AT_FIRST = 400;

/** One's own, and what is about oneself in conversations and workspaces that one may read. */
export function MemoriesView({ desk }: { desk: Desk }): JSX.Element {
  const { memories } = desk.session.stubs;
  const { value, error, reload, more } = usePaged((page) => memories.exportMemories(page), (found) => found.memories, [], AGAIN_MS, AT_FIRST);
  const [kind, setKind] = useState("");
  const [words, setWords] = useState("");
  const [isWithPast, showPast] = useState(false);
  const [isAdding, setAdding] = useState(false);
  const [toForget, setToForget] = useState<Memory>();
  const heading = useRef<HTMLHeadingElement>(null);
  const known = newestFirst(value ?? []);
  const byId = new Map(known.map(({ memory }) => [memory.memoryId, memory]));
  const shown = known.filter(({ memory }) => isWanted(memory, { kind, words, isWithPast }));
  const done = () => (reload(), heading.current?.focus());
  const add = async (text: string, of: MemoryKind) => {
    await memories.putMemory({ memory: { text, kind: of, subject: desk.session.actor } });
    setAdding(false);
    done();
  };
  const correct = async (memory: Memory, text: string, of: MemoryKind) => {
    const { scope, etag } = memory;
    await memories.updateMemory({ scope, memory: { ...memory, text, kind: of }, updateMask: { paths: ["text", "kind"] }, etag });
    reload();
  };
  return (
    <div class="usage scroll" tabIndex={0} role="region" aria-label="What is remembered about me">
      <p class="quiet">
        What answers you is reminded of this. Nobody else reads what is your own; what was said stays where it was said, also once this
        has forgotten it.
      </p>
      <section class="memories">
        <div class="bar">
          <h2 class="grow" ref={heading} tabIndex={-1}>
            {value ? countOf(shown.length, known.length) : "Remembered"}
          </h2>
          <button type="button" class="small" onClick={() => setAdding(true)} disabled={isAdding}>
            <Icon name="plus" /> Add one
          </button>
        </div>
        {isAdding && <Draft onSave={add} onCancel={() => setAdding(false)} />}
        <div class="bar memory-filters">
          <label class="search grow">
            <Icon name="search" />
            <input
              type="search"
              placeholder="Find by words"
              aria-label="Find by words"
              dir="auto"
              value={words}
              onInput={(event) => setWords(event.currentTarget.value)}
            />
          </label>
          <Choice name="kinds" label="Kind" options={{ "": "all", ...KINDS }} value={kind} onChange={setKind} />
          <label class="check">
            <input type="checkbox" checked={isWithPast} onChange={(event) => showPast(event.currentTarget.checked)} /> also what is no more so
          </label>
        </div>
        <p class="hidden" role="status">
          {value ? countOf(shown.length, known.length) : ""}
        </p>
        {error && <Notice text={error} />}
        {!value && !error && <Spinner label="Loading" />}
        {value && !known.length && <p class="empty">Nothing is remembered about you.</p>}
        {known.length > 0 && !shown.length && <p class="empty">Nothing of that is remembered.</p>}
        <ul class="queue" aria-label="Memories">
          {shown.map(({ memory, versions }) => (
            <li key={memory.memoryId}>
              <One
                self={desk.session.actor}
                memory={memory}
                versions={versions}
                newer={byId.get(memory.supersededBy)}
                onCorrect={(text, of) => correct(memory, text, of)}
                onForget={() => setToForget(memory)}
              />
            </li>
          ))}
        </ul>
        <More more={more} />
      </section>
      {toForget && (
        <ConfirmDialog
          title={`Forget “${briefly(toForget.text)}”?`}
          text="What it says, what it said before and where it comes from are gone for good. The messages stay."
          button="Forget it"
          onConfirm={async () => {
            await memories.forgetMemory({ memoryId: toForget.memoryId });
            done();
          }}
          onClose={() => setToForget(undefined)}
        />
      )}
    </div>
  );
}

interface Known {
  memory: Memory;
  versions: ExportedMemory["versions"];
}

function newestFirst(exported: ExportedMemory[]): Known[] {
  const known = exported.flatMap(({ memory, versions }) => (memory ? [{ memory, versions }] : []));
  const timeOf = ({ memory }: Known) => (memory.createTime ? timestampMs(memory.createTime) : 0);
  return known.sort((one, other) => timeOf(other) - timeOf(one));
}

function isWanted(memory: Memory, wish: { kind: string; words: string; isWithPast: boolean }): boolean {
  if (!wish.isWithPast && memory.state !== MemoryState.ACTIVE) return false;
  if (wish.kind && `${memory.kind}` !== wish.kind) return false;
  const said = [memory.text, ...memory.entities].join(" ").toLowerCase();
  return wish.words.toLowerCase().split(/\s+/).every((word) => said.includes(word));
}

function countOf(shown: number, known: number): string {
  return shown === known ? `Remembered: ${known.toLocaleString()}` : `Remembered: ${shown.toLocaleString()} of ${known.toLocaleString()}`;
}
