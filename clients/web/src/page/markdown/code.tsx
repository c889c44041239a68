// Code in an answer: which language, its colours, and a button that copies it.

import type { ComponentChildren, JSX } from "preact";
import { CopyButton } from "../parts";
import { Lazy, useLazy } from "./lazily";

const LONGEST_COLOURED = 20_000;
const colours = new Lazy(async () => (await import("./colours")).coloured);

/** A block of code. Colours come when they are loaded; what is very long stays without. */
export function CodeBlock({ text, language }: { text: string; language: string }): JSX.Element {
  const name = language.split(/\s/)[0] ?? "";
  const isColoured = name !== "" && text.length <= LONGEST_COLOURED;
  const coloured = useLazy(colours, isColoured);
  let content: ComponentChildren = text;
  if (coloured) content = coloured(text, name) ?? text;
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
