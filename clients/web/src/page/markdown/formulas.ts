// Formulas in TeX, where they begin and end. What they look like is another file's business, which
// is loaded where there is one.

import type { TokenizerExtension, Tokens } from "marked";

const LONGEST = 4_000;
const BLOCK = /^ {0,3}(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\])[ \t]*(?:\n|$)/;
// Prices are none: no space inside of the marks, no figure behind them.
const INLINE = /^(?:\$\$([^$\n]+?)\$\$|\$(?![\s$])((?:\\.|[^$\\\n])*?[^\s\\$])\$(?!\d)|\\\(([\s\S]+?)\\\)|\\\[([\s\S]+?)\\\])/;

// From one price to the next there are words.
const PRICES = /^\d.*?\s[A-Za-z]{2,}/s;

/** A formula among the tokens. */
export type FormulaToken = Tokens.Generic & { tex: string; isBlock: boolean };

function token(type: string, isBlock: boolean, match: RegExpExecArray | null): FormulaToken | undefined {
  const tex = match?.slice(1).find((each) => each !== undefined)?.trim();
  if (!match || !tex || tex.length > LONGEST || /\n\s*\n/.test(tex)) return undefined;
  if (/^\$\d/.test(match[0]) && PRICES.test(tex)) return undefined;
  return { type, raw: match[0], tex, isBlock: isBlock || match[0].startsWith("$$") || match[0].startsWith("\\[") };
}

/** Formulas that stand by themselves. */
export const formulaBlock: TokenizerExtension = {
  name: "formulaBlock",
  level: "block",
  start: (src) => /\n {0,3}(\$\$|\\\[)/.exec(src)?.index,
  tokenizer: (src) => token("formulaBlock", true, BLOCK.exec(src.slice(0, LONGEST + 20))),
};

/** Formulas in a line. */
export const formula: TokenizerExtension = {
  name: "formula",
  level: "inline",
  start: (src) => /\$|\\[([]/.exec(src)?.index,
  tokenizer: (src) => token("formula", false, INLINE.exec(src.slice(0, LONGEST + 20))),
};
