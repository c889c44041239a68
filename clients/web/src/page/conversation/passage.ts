// Where in a long message the words stand for which it was found.

const MOST_WORDS = 16;
const MOST_PLACES = 500;
/** As long as what is told of a message that was found. */
const PASSAGE = 400;
const LETTER = /[\p{L}\p{N}]/u;

/** A word as it stands in the message; `at` counts letters from its beginning. */
interface Place {
  at: number;
  word: string;
  range: Range;
}

/** All places of the words in what a message says, and the first of those that stand together best. */
export function passageIn(message: Element, words: string[]): { ranges: Range[]; best: Range | undefined } {
  const wanted = [...new Set(words.map((word) => word.toLowerCase()).filter(Boolean))].slice(0, MOST_WORDS);
  const places = placesIn(message, wanted);
  const countFrom = ({ at }: Place) => new Set(places.filter((each) => each.at >= at && each.at < at + PASSAGE).map(({ word }) => word)).size;
  const counts = places.map(countFrom);
  const best = places[counts.indexOf(Math.max(...counts))];
  return { ranges: places.map(({ range }) => range), best: best?.range };
}

function placesIn(message: Element, words: string[]): Place[] {
  const places: Place[] = [];
  let before = 0;
  for (const body of message.querySelectorAll(".body")) {
    const nodes = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
    for (let node = nodes.nextNode() as Text | null; node && places.length < MOST_PLACES; node = nodes.nextNode() as Text | null) {
      for (const word of words) places.push(...placesOf(word, node, before));
      before += node.length;
    }
  }
  return places.sort((a, b) => a.at - b.at).slice(0, MOST_PLACES);
}

/** Whole words alone. */
function placesOf(word: string, node: Text, before: number): Place[] {
  const lower = node.data.toLowerCase();
  const text = lower.length === node.length ? lower : node.data; // a few letters are longer as small ones
  const places: Place[] = [];
  for (let at = text.indexOf(word); at >= 0 && places.length < MOST_PLACES; at = text.indexOf(word, at + word.length)) {
    const end = at + word.length;
    if (LETTER.test(text[at - 1] ?? "") || LETTER.test(text[end] ?? "")) continue;
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, end);
    places.push({ at: before + at, word, range });
  }
  return places;
}
