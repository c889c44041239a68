// What was found of a text, and which of its words were asked for.

/** A piece of a text; `isAsked` is what the query asks for. */
export interface Piece {
  text: string;
  isAsked: boolean;
}

/**
 * The text in pieces, in its order. Stretches count Unicode's code points, where JavaScript counts
 * units of UTF-16. One that is empty, beyond the end or within another is left out.
 */
export function piecesOf(text: string, stretches: { start: number; end: number }[]): Piece[] {
  const letters = [...text];
  const pieces: Piece[] = [];
  let at = 0;
  const cut = (end: number, isAsked: boolean) => {
    if (end > at) pieces.push({ text: letters.slice(at, end).join(""), isAsked });
    at = Math.max(at, end);
  };
  for (const { start, end } of stretches.toSorted((a, b) => a.start - b.start)) {
    cut(Math.min(start, letters.length), false);
    cut(Math.min(end, letters.length), true);
  }
  cut(letters.length, false);
  return pieces;
}
