// Markdown's tokens, within bounds: who writes to us decides what is read here, and some texts of
// a few hundred characters would take minutes, or more of the stack than there is.

import { Lexer, type Token, Tokenizer, type TokenizerExtension, type TokensList } from "marked";
import { formula, formulaBlock } from "./formulas";

const LONGEST_TEXT = 60_000;
const LONGEST_RUN = 4_000;
const DEEPEST = 24;
const MOST_STEPS = 30_000;
const MOST_FORMULAS = 500;
const LONGEST_MS = 100;

class TooMuch extends Error {}

/** A rule for formulas, as long as there may be one more. */
function counted({ tokenizer }: TokenizerExtension): TokenizerExtension["tokenizer"] {
  return function (src, tokens) {
    const found = tokenizer.call(this, src, tokens);
    return found && (this.lexer as BoundedLexer).hasRoom() ? found : undefined;
  };
}

const EXTENSIONS = {
  block: [counted(formulaBlock)],
  startBlock: [formulaBlock.start!],
  inline: [counted(formula)],
  startInline: [formula.start!],
  renderers: {},
  childTokens: {},
};

/** Where the links lead that a text calls by a name. */
export type Links = TokensList["links"];

/** The links that are defined by some lines. */
export function linksOf(definitions: string): Links {
  return definitions ? (tokensOf(definitions)?.links ?? {}) : {};
}

/** The tokens of a text; none if it is too long, nests too deeply, or takes too long. */
export function tokensOf(text: string, links: Links = {}): TokensList | undefined {
  if (text.length > LONGEST_TEXT) return undefined;
  try {
    return new BoundedLexer(links).lex(text);
  } catch (thrown) {
    if (thrown instanceof TooMuch) return undefined;
    throw thrown;
  }
}

/** A lexer that gives up. Its steps are looked at while it works: afterwards would be too late. */
class BoundedLexer extends Lexer {
  private depth = 0;
  private steps = 0;
  private formulas = 0;
  private readonly began = performance.now();

  constructor(links: Links) {
    super({ gfm: true, breaks: true, pedantic: false, tokenizer: new BoundedTokenizer(), extensions: EXTENSIONS });
    Object.assign(this.tokens.links, links);
  }

  /** Whether there may be one more formula; what is beyond stays as it was written. */
  hasRoom(): boolean {
    this.formulas += 1;
    return this.formulas <= MOST_FORMULAS;
  }

  /** One more step. Throws if there were too many, or if they took too long. */
  step(): void {
    this.steps += 1;
    if (this.steps > MOST_STEPS || performance.now() - this.began > LONGEST_MS) throw new TooMuch();
  }

  override blockTokens(src: string, tokens?: Token[], isClipped?: boolean): Token[];
  override blockTokens(src: string, tokens?: TokensList, isClipped?: boolean): TokensList;
  override blockTokens(src: string, tokens: Token[] = [], isClipped = false): Token[] {
    return this.deeper(() => super.blockTokens(src, tokens, isClipped));
  }

  /** What waits for the second pass, such as each cell that a table's row is filled up with. */
  override inline(src: string, tokens: Token[] = []): Token[] {
    this.step();
    return super.inline(src, tokens);
  }

  /** Some rules look at all that follows from each place, so a long paragraph goes in pieces. */
  override inlineTokens(src: string, tokens: Token[] = []): Token[] {
    for (const piece of piecesOf(src)) this.deeper(() => super.inlineTokens(piece, tokens));
    return tokens;
  }

  private deeper<Result>(run: () => Result): Result {
    this.step();
    if (this.depth === DEEPEST) throw new TooMuch();
    this.depth += 1;
    const result = run();
    this.depth -= 1;
    return result;
  }
}

/** Quotes that go on after what they hold read that once more: each time is a step. */
class BoundedTokenizer extends Tokenizer {
  override list(src: string): ReturnType<Tokenizer["list"]> {
    (this.lexer as BoundedLexer).step();
    return super.list(src);
  }

  override blockquote(src: string): ReturnType<Tokenizer["blockquote"]> {
    (this.lexer as BoundedLexer).step();
    return super.blockquote(src);
  }
}

/** A text in pieces that end before a line, or else a word, so that no line's end is lost. */
function* piecesOf(text: string): Generator<string> {
  let at = 0;
  while (text.length - at > LONGEST_RUN) {
    const end = at + LONGEST_RUN;
    const cuts = [text.lastIndexOf("\n", end), text.lastIndexOf(" ", end), end];
    const cut = cuts.find((each) => each > at)!;
    yield text.slice(at, cut);
    at = cut;
  }
  yield text.slice(at);
}
