// Formulas as MathML, which browsers draw themselves. Loaded where there is a formula.

import { type ComponentChildren, h } from "preact";
import temml from "temml";
import type { Allowance } from "./allowance";

const MOST_EXPANDED = 500;
const LARGEST_EM = 20;
/** Names for what is long: a formula of them is as long as one likes, and no answer needs them. */
const DEFINITION = /\\(?:[gex]?def|let|futurelet|(?:re)?newcommand|providecommand)(?![A-Za-z])/;
/** What a formula may consist of. */
const ELEMENTS = new Set(
  ("math menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms " +
    "mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none").split(" "),
);
const ATTRIBUTES = new Set(
  ("accent accentunder columnalign columnlines depth display displaystyle fence form height largeop linethickness " +
    "lspace mathsize mathvariant maxsize minsize movablelimits notation rowspacing rspace scriptlevel separator " +
    "stretchy symmetric voffset width").split(" "),
);

/** A node of the library's tree: an element, a fragment of several, or a text. */
interface Node {
  type?: string;
  text?: string;
  attributes?: Record<string, string>;
  classes?: string[];
  style?: Record<string, string | number>;
  children?: Node[];
}

/** A formula as elements; nothing if it can't be read, or is more than the message may take. */
export function typeset(tex: string, isBlock: boolean, allowance: Allowance): ComponentChildren {
  if (!allowance.hasRoom || DEFINITION.test(tex)) return undefined;
  try {
    const options = { displayMode: isBlock, throwOnError: true, maxExpand: MOST_EXPANDED };
    // What is read is small; what is made of it may not be.
    if (!allowance.take(weightOf(temml.__parse(tex, options)))) return undefined;
    const sizes = { maxSize: [LARGEST_EM, LARGEST_EM] as [number, number], trust: false };
    return drawn(temml.__renderToMathMLTree(tex, { ...options, ...sizes }) as Node, 0);
  } catch {
    return undefined;
  }
}

/** About how many elements are made of what was read: each row of a table is filled up to the longest. */
export function weightOf(read: unknown): number {
  if (typeof read !== "object" || read === null) return 0;
  const rows = "type" in read && read.type === "array" && "body" in read ? (read.body as unknown[][]) : [];
  const cells = rows.length * Math.max(0, ...rows.map((row) => row.length));
  const inner = Object.entries(read).map(([name, value]) => (name === "loc" ? 0 : weightOf(value)));
  return inner.reduce((sum, each) => sum + each, cells + ("type" in read ? 1 : 0));
}

/** Attributes alone that say how it looks: no link, no picture, no style as text. */
function drawn(node: Node, key: number): ComponentChildren {
  if (node.text !== undefined) return node.text;
  const children = node.children?.map(drawn);
  if (!node.type || !ELEMENTS.has(node.type)) return children;
  const given = Object.entries(node.attributes ?? {}).filter(([name]) => ATTRIBUTES.has(name));
  const properties = { ...Object.fromEntries(given), key, class: node.classes?.filter(Boolean).join(" ") || undefined };
  return h(node.type, { ...properties, style: node.style }, children);
}
