// Texts of tools and models, whom nobody vouches for, so that people see all that is in them.

const PICTURE = "\\p{Extended_Pictographic}";
// What joins pictures into one is seen by what it makes of them.
const JOINT = `(?<=${PICTURE}[\\uFE0F\\u{1F3FB}-\\u{1F3FF}]?)\\u200D(?=${PICTURE})`;
const UNSEEN = new RegExp(
  `(?![\\n\\t]|${JOINT})[\\p{Cc}\\p{Cf}\\p{Co}\\p{Cn}\\p{Cs}\\u2028\\u2029\\u115F\\u1160\\u3164\\uFFA0]`,
  "gu",
);
const TOKENS = /"(?:[^"\\]|\\.)*"|[[{]\s*[\]}]|[[{\]},:]|\s+/g;
const ESCAPED = /\\(?:u([0-9a-fA-F]{4})|[^u])/g;
const DEEPEST = 20;

/** The text; what has no shape in it, or turns the text around, is told by its number. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (found) => `⟨U+${found.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/**
 * JSON over several lines, and other texts as they are. It is not read and written anew, which would
 * hide members that come twice and change long numbers: who approves of it is shown what is there.
 */
export function pretty(text: string): string {
  if (!isJson(text)) return text;
  let depth = 0;
  const line = (by: number) => `\n${"  ".repeat(Math.min((depth += by), DEEPEST))}`;
  return text.replace(TOKENS, (token) => {
    if (token[0] === '"') return token.replace(ESCAPED, (escape, code?: string) => (code ? letter(code, escape) : escape));
    if (token.trim() === "") return "";
    if (token.length > 1) return token[0]! + token.at(-1)!;
    if (token === ":") return ": ";
    if (token === ",") return token + line(0);
    return "[{".includes(token) ? token + line(1) : line(-1) + token;
  });
}

/** In a line, for where there is little place. */
export function brief(text: string, most: number): string {
  const line = text.slice(0, most * 2).replace(/\s+/g, " ").trim();
  return visible(line.length > most ? `${line.slice(0, most)}…` : line);
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === "object";
  } catch {
    return false;
  }
}

function letter(code: string, escape: string): string {
  const found = String.fromCharCode(parseInt(code, 16));
  return /[\p{L}\p{N}]/u.test(found) ? found : escape;
}
