// Formulas as MathML, which browsers draw themselves. Loaded where there is a formula.

import { type ComponentChildren, h } from "preact";
import temml from "temml";

const MOST_EXPANDED = 500;
const LARGEST_EM = 20;
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

/** A formula as elements; nothing if it can't be read. */
export function typeset(tex: string, isBlock: boolean): ComponentChildren {
  try {
    const options = { displayMode: isBlock, throwOnError: true, maxExpand: MOST_EXPANDED };
    const sizes = { maxSize: [LARGEST_EM, LARGEST_EM] as [number, number], trust: false };
    return drawn(temml.__renderToMathMLTree(tex, { ...options, ...sizes }) as Node, 0);
  } catch {
    return undefined;
  }
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
