// Markdown as elements. No HTML is ever made of it: what looks like HTML is shown as it stands,
// and a picture is a link, for to load it would tell its server who reads what.

import type { Token, Tokens } from "marked";
import type { ComponentChildren, JSX } from "preact";
import { memo } from "preact/compat";
import { useMemo, useState } from "preact/hooks";
import { Allowance, MessageAllowance } from "./allowance";
import { CodeBlock } from "./code";
import { Formula } from "./formula";
import type { FormulaToken } from "./formulas";
import { type Links, linksOf, tokensOf } from "./lexing";
import { codeOf, depthsOf, isOpen, piecesOf } from "./pieces";

const LONG = 10_000;
const SAFE = new Set(["http:", "https:", "mailto:"]);

/** A text in Markdown. While it is being written what is above stays, and the end grows. */
export const Markdown = memo(function Markdown({ text }: { text: string }): JSX.Element {
  const depths = depthsOf(text);
  const [allowance] = useState(() => new Allowance());
  const { pieces, definitions } = piecesOf(text);
  const links = useMemo(() => linksOf(definitions), [definitions]);
  return (
    <MessageAllowance.Provider value={allowance}>
      <div class="markdown">
        {pieces.map((piece, index) => (
          <Piece key={index} text={piece} links={links} depths={depths} />
        ))}
      </div>
    </MessageAllowance.Provider>
  );
});

/** What can't be read in bounds is shown as it was written. */
const Piece = memo(function Piece(props: { text: string; links: Links; depths: string }): JSX.Element {
  const { text, links, depths } = props;
  const code = text.length > LONG ? codeOf(text) : undefined;
  const tokens = code ? undefined : tokensOf(text, links);
  return (
    <div class="piece">
      {code && <CodeBlock {...code} />}
      {tokens && blocks(tokens, depths)}
      {!code && !tokens && (
        <p class="plain" dir="auto">
          {text}
        </p>
      )}
    </div>
  );
});

function blocks(tokens: Token[], depths: string): ComponentChildren[] {
  return tokens.map((token, index) => block(token as Tokens.Generic, index, depths));
}

function block(token: Tokens.Generic, key: number, depths: string): ComponentChildren {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "heading": {
      // A message is a part of the page: its headings stand below the message's own.
      const Heading = `h${Math.min(6, 3 + Math.max(0, depths.indexOf(token["depth"])))}` as "h3";
      return (
        <Heading key={key} dir="auto">
          {inline(token.tokens)}
        </Heading>
      );
    }
    case "paragraph":
      return (
        <p key={key} dir="auto">
          {inline(token.tokens)}
        </p>
      );
    case "formulaBlock":
      return <Formula key={key} {...(token as FormulaToken)} />;
    case "code":
      return <CodeBlock key={key} text={token["text"]} language={token["lang"] ?? ""} isGrowing={isOpen(token.raw)} />;
    case "blockquote":
      return (
        <blockquote key={key} dir="auto">
          {blocks(token.tokens ?? [], depths)}
        </blockquote>
      );
    case "list":
      return list(token as Tokens.List, key, depths);
    case "table":
      return table(token as Tokens.Table, key);
    case "hr":
      return <hr key={key} />;
    case "text":
      return <span key={key}>{token.tokens ? inline(token.tokens) : decoded(token["text"])}</span>;
    case "checkbox":
      return checkbox(token, key);
    default:
      return <p key={key}>{token.raw}</p>;
  }
}

function checkbox(token: Tokens.Generic, key: number): JSX.Element {
  const isDone: boolean = token["checked"];
  return <input key={key} type="checkbox" checked={isDone} disabled aria-label={isDone ? "done" : "to do"} />;
}

function list(token: Tokens.List, key: number, depths: string): JSX.Element {
  const items = token.items.map((item, index) => (
    <li key={index} class={item.task ? "task" : undefined}>
      {blocks(item.tokens, depths)}
    </li>
  ));
  if (!token.ordered) {
    return (
      <ul key={key} dir="auto">
        {items}
      </ul>
    );
  }
  return (
    <ol key={key} dir="auto" start={Number(token.start) || 1}>
      {items}
    </ol>
  );
}

function table(token: Tokens.Table, key: number): JSX.Element {
  const cell = (Cell: "td" | "th") => (found: Tokens.TableCell, index: number) => (
    <Cell key={index} dir="auto" class={found.align ? `align-${found.align}` : undefined}>
      {inline(found.tokens)}
    </Cell>
  );
  return (
    <div class="table" key={key} tabIndex={0} role="group" aria-label="Table">
      <table>
        <thead>
          <tr>{token.header.map(cell("th"))}</tr>
        </thead>
        <tbody>
          {token.rows.map((row, index) => (
            <tr key={index}>{row.map(cell("td"))}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function inline(tokens: Token[] = []): ComponentChildren[] {
  return tokens.map((token, index) => piece(token as Tokens.Generic, index));
}

function piece(token: Tokens.Generic, key: number): ComponentChildren {
  switch (token.type) {
    case "strong":
      return <strong key={key}>{inline(token.tokens)}</strong>;
    case "em":
      return <em key={key}>{inline(token.tokens)}</em>;
    case "del":
      return <del key={key}>{inline(token.tokens)}</del>;
    case "codespan":
      return <code key={key}>{token["text"]}</code>;
    case "br":
      return <br key={key} />;
    case "link":
      return link(token["href"], inline(token.tokens), key);
    case "image":
      return link(token["href"], `picture: ${token["text"] || token["href"]}`, key);
    case "escape":
      return token["text"];
    case "text":
      return token.tokens ? inline(token.tokens) : decoded(token["text"]);
    case "checkbox":
      return checkbox(token, key);
    case "formula":
      return <Formula key={key} {...(token as FormulaToken)} />;
    default:
      return token.raw;
  }
}

function link(href: string, children: ComponentChildren, key: number): ComponentChildren {
  if (!isSafe(href)) return <span key={key}>{children}</span>;
  return (
    <a key={key} href={href} target="_blank" rel="noopener noreferrer nofollow" title={href}>
      {children}
    </a>
  );
}

/** Whether it leads to a page or a mailbox, and to nothing that runs here. */
export function isSafe(href: string): boolean {
  try {
    return SAFE.has(new URL(href).protocol);
  } catch {
    return false;
  }
}

const NAMED: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  copy: "©",
  hellip: "…",
  mdash: "—",
  ndash: "–",
};

/** Character references of plain text, as HTML would read them. */
function decoded(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|(\w{2,8}));/g, (whole, dec, hex, name) => {
    if (name) return NAMED[name] ?? whole;
    const code = dec ? Number(dec) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
