// Code in an answer: which language, its colours, and a button that copies it.

import type { ComponentChildren, JSX } from "preact";
import { useContext, useMemo } from "preact/hooks";
import { CopyButton } from "../parts";
import { MessageAllowance } from "./allowance";
import { Lazy, useLazy } from "./lazily";

// Some languages' rules look at all that follows from each place.
const LONGEST_COLOURED = 8_000;
const STEP = 500;
const colours = new Lazy(async () => (await import("./colours")).coloured);

/** A block of code. Colours come when they are loaded; what is very long stays without. */
export function CodeBlock(props: { text: string; language: string; isGrowing?: boolean }): JSX.Element {
  const { text } = props;
  const name = props.language.split(/\s/)[0] ?? "";
  const isColoured = name !== "" && text.length <= LONGEST_COLOURED;
  const coloured = useLazy(colours, isColoured);
  const allowance = useContext(MessageAllowance);
  const end = props.isGrowing ? settled(text) : text.length;
  const start = text.slice(0, end);
  const drawn = useMemo(
    () => coloured && allowance.timed(() => coloured(start, name)),
    [coloured, allowance, start, name],
  );
  const content: ComponentChildren = drawn ? [drawn, text.slice(end)] : text;
  return (
    <div class="code" dir="ltr">
      <div class="code-bar">
        <span>{name || "text"}</span>
        <CopyButton text={text} label="Copy code" />
      </div>
      <pre tabIndex={0}>
        <code>{content}</code>
      </pre>
    </div>
  );
}

/** What grows gets its colours in steps, since each means to read all of it again. */
export function settled(text: string): number {
  return text.lastIndexOf("\n", text.length - (text.length % STEP)) + 1;
}
