// A long text in pieces that are read and drawn each by itself: while an answer grows only the last
// one changes, and those that are not seen cost no layout.

const LEAST = 4_000;
const FENCE = /^(`{3,}|~{3,})/;
const ANY_FENCE = /^ {0,3}(`{3,}|~{3,})/;
const LIST_ITEM = /^([-*+]|\d{1,9}[.)])(\s|$)/;
const DEFINITION = /^ {0,3}\[[^\]\n]+\]:/;
const LONGEST_DEFINITION = 1_000;
const MOST_DEFINITIONS = 500;

/** A text's pieces, and the lines in which links are defined that are meant in each of them. */
export interface Pieces {
  pieces: string[];
  definitions: string;
}

/**
 * Cuts where whatever follows begins a block of its own: behind an empty line, outside of code,
 * and not in a list. Where a cut is depends on what is before it alone, so it stays as the
 * text grows.
 */
export function piecesOf(text: string): Pieces {
  const { cuts, definitions } = text.length < LEAST ? { cuts: [0], definitions: [] } : scan(text);
  if (cuts.length === 1) return { pieces: [text], definitions: "" };
  const pieces = cuts.map((cut, index) => text.slice(cut, cuts[index + 1]));
  return { pieces, definitions: definitions.slice(0, MOST_DEFINITIONS).join("\n") };
}

function scan(text: string): { cuts: number[]; definitions: string[] } {
  const cuts = [0];
  const definitions: string[] = [];
  let fence = "";
  let isAfterBlank = false;
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline;
    const head = text.slice(at, Math.min(end, at + 16));
    const marker = ANY_FENCE.exec(head)?.[1] ?? "";
    const begins = !fence && isAfterBlank && /^\S/.test(head) && !LIST_ITEM.test(head);
    const isDefinition = !fence && /^ {0,3}\[/.test(head) && end - at <= LONGEST_DEFINITION;
    if (isDefinition && DEFINITION.test(text.slice(at, end))) definitions.push(text.slice(at, end));
    if (begins && (at - cuts.at(-1)! >= LEAST || FENCE.test(head))) cuts.push(at);
    if (!fence) fence = marker;
    else if (marker.startsWith(fence) && !text.slice(at, end).trim().slice(marker.length)) fence = "";
    isAfterBlank = head.trim() === "";
    at = end + 1;
  }
  return { cuts, definitions };
}

/** A piece that is nothing but code, however long: its language and its text. */
export function codeOf(piece: string): { language: string; text: string } | undefined {
  const marker = FENCE.exec(piece)?.[1];
  const start = piece.indexOf("\n") + 1;
  if (!marker || !start) return undefined;
  const whole = piece.trimEnd();
  const close = piece.indexOf(`\n${marker}`, start - 1);
  if (close >= 0 && close + 1 + marker.length < whole.length) return undefined;
  const text = close < 0 ? piece.slice(start) : piece.slice(start, close);
  return { language: piece.slice(marker.length, start - 1).trim(), text };
}

/** Whether code, as it stands in a text, has no end yet. */
export function isOpen(code: string): boolean {
  const marker = ANY_FENCE.exec(code)?.[1];
  const end = code.trimEnd();
  return marker !== undefined && !end.slice(end.lastIndexOf("\n") + 1 || end.length).trim().startsWith(marker);
}

/** The depths of a text's headings, in order: what is drawn has no level left out. */
export function depthsOf(text: string): string {
  const found = new Set((text.match(/^ {0,3}#{1,6}(?=\s)/gm) ?? []).map((mark) => mark.trim().length));
  return [...found].sort().join("");
}
