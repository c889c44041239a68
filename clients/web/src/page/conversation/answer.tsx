// An answer: its texts, and between them the calls of tools where they were made.

import type { JSX } from "preact";
import type { ToolCall, TurnView } from "../../antiphon";
import { Markdown } from "../markdown/markdown";
import { Call, type Deciding } from "./call";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A text, or calls side by side; `at` is where it begins, in bytes of the answer. */
export type Piece = { at: number; text: string } | { at: number; calls: ToolCall[] };

/** What was said so far, and what was called. */
export function Answer(props: { text: string; turn: TurnView | undefined; deciding: Deciding }): JSX.Element {
  const { text, turn, deciding } = props;
  return (
    <>
      {piecesOf(text, turn?.toolCalls ?? []).map((piece) =>
        "text" in piece ? (
          <div key={`text ${piece.at}`} class="body">
            <Markdown text={piece.text} />
          </div>
        ) : (
          <ul key={`calls ${piece.at}`} class="calls" aria-label="Tools that were called">
            {piece.calls.map((call) => (
              <Call key={call.id} call={call} turn={turn!} deciding={deciding} />
            ))}
          </ul>
        ),
      )}
    </>
  );
}

/** The answer in its order. Calls of which the text before is not known yet stand at its end. */
export function piecesOf(text: string, calls: ToolCall[]): Piece[] {
  if (!calls.length) return text ? [{ at: 0, text }] : [];
  const bytes = encoder.encode(text);
  const pieces: Piece[] = [];
  let from = 0;
  const say = (end: number) => {
    const said = decoder.decode(bytes.subarray(from, end));
    if (said.trim()) pieces.push({ at: from, text: said });
    from = Math.max(from, end);
  };
  for (const call of calls.toSorted((a, b) => a.position - b.position)) {
    if (call.position > from) say(Math.min(call.position, bytes.length));
    const last = pieces.at(-1);
    if (last && "calls" in last) last.calls.push(call);
    else pieces.push({ at: from, calls: [call] });
  }
  say(bytes.length);
  return pieces;
}
