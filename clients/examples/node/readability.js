// An expert of plain English: how hard a text is to read, and what makes it so.

const LONG = 25; // words of a sentence that is worth a look
const COMMON = new Set(
  "a an and are as at be but by for from had has have he her his i in is it its not of on or she so that the their they this to was we were which with you".split(" "),
);

/** Messages that are for it: by these, routes choose among experts. */
export const examples = [
  "How hard is this text to read?",
  "Is my letter easy to understand?",
  "What is the reading ease of this paragraph?",
  "Which of these sentences are too long?",
  "Check the readability of the text below.",
  "Wie schwer ist dieser Text zu lesen?",
  "Ist mein Brief leicht zu verstehen?",
  "Welche Sätze sind zu lang?",
];

/** What is said of a text, piece by piece; the same for the same text. */
export function* readability(text) {
  const paragraphs = text.split(/\n\s*\n/).filter((paragraph) => wordsOf(paragraph).length);
  if (!paragraphs.length) return yield "Send me a text in English: I say how hard it is to read.\n";
  yield "| paragraph | words | sentences | reading ease |\n|---|---|---|---|\n";
  for (const [index, paragraph] of paragraphs.entries()) yield `| ${index + 1} ${row(paragraph)}`;
  if (paragraphs.length > 1) yield `| all ${row(paragraphs.join(".\n"))}`;
  const long = paragraphs.flatMap(sentencesOf).filter((sentence) => wordsOf(sentence).length >= LONG);
  if (long.length) yield `\nSentences of ${LONG} words and more:\n\n`;
  for (const sentence of long) yield `- ${wordsOf(sentence).length} words: ${sentence.replace(/\s+/g, " ").trim().slice(0, 300)}\n`;
  yield `\nMost frequent: ${frequent(text)}\n`;
}

function row(text) {
  const words = wordsOf(text);
  const sentences = sentencesOf(text).length;
  const syllables = words.reduce((sum, word) => sum + syllablesOf(word), 0);
  // Flesch, "A new readability yardstick", 1948.
  const ease = 206.835 - (1.015 * words.length) / sentences - (84.6 * syllables) / words.length;
  return `| ${words.length} | ${sentences} | ${ease.toFixed(0)}, ${grade(ease)} |\n`;
}

const grade = (ease) => (ease >= 70 ? "easy" : ease >= 50 ? "fair" : ease >= 30 ? "hard" : "very hard");
const wordsOf = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+(?:['’][\p{L}]+)*/gu) ?? [];
const sentencesOf = (text) => text.split(/(?<=[.!?])\s+|\n\s*\n/).filter((part) => wordsOf(part).length);

/** By groups of vowels; a silent e at the end is none. */
function syllablesOf(word) {
  const groups = word.replace(/(?<=[^aeiouyl])e$/, "").match(/[aeiouy]+/g) ?? [];
  return Math.max(groups.length, 1);
}

function frequent(text) {
  const counts = new Map();
  for (const word of wordsOf(text)) if (!COMMON.has(word)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const sorted = [...counts].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
  return sorted.slice(0, 5).map(([word, count]) => `${word} (${count})`).join(", ");
}
