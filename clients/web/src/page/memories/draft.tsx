// Writing what is to be remembered: something new, or what a memory should say.

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { errorOf } from "../../antiphon";
import { MemoryKind } from "../../gen/antiphon/memory/v1/memory_pb";
import { Choice, Notice } from "../parts";
import { sentenceOf } from "../words";
import { KINDS } from "./words";

const LONGEST = 1_024; // as UTF-8 it is never longer than a memory may be

/** `text` and `kind` are what it says now; without them it is a new one. */
export function Draft(props: {
  text?: string;
  kind?: MemoryKind;
  onSave: (text: string, kind: MemoryKind) => Promise<void>;
  onCancel: () => void;
}): JSX.Element {
  const [text, setText] = useState(props.text ?? "");
  const [kind, setKind] = useState<MemoryKind>(props.kind || MemoryKind.FACT);
  const [error, setError] = useState("");
  const [isSaving, setSaving] = useState(false);
  const first = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => first.current?.focus(), []); // before the next key comes
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isSaving) return;
    setSaving(true);
    try {
      await props.onSave(text.trim(), kind);
    } catch (thrown) {
      const isThere = errorOf(thrown).reason === "ALREADY_EXISTS";
      setError(isThere ? "That is remembered already." : sentenceOf(thrown));
      setSaving(false);
    }
  };
  const press = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.stopPropagation(); // it stops no answer
    props.onCancel();
  };
  return (
    <form class="memory-draft" aria-label={props.text === undefined ? "Something to remember" : "A correction"} onSubmit={submit} onKeyDown={press}>
      {error && <Notice text={error} />}
      <label>
        What to remember
        <textarea
          ref={first}
          dir="auto"
          required
          maxLength={LONGEST}
          placeholder="A sentence that can be read by itself"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <div class="row">
        <Choice name="kind" label="Kind" options={KINDS} value={kind} onChange={(value) => setKind(Number(value))} />
        <span class="grow" />
        <button type="button" class="small" onClick={props.onCancel}>
          Cancel
        </button>
        <button type="submit" class="small primary" disabled={!text.trim() || isSaving}>
          Save
        </button>
      </div>
    </form>
  );
}
