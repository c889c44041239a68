// Putting a message's text together from pieces that may come twice, or folded.

import type { Part } from "../gen/antiphon/context/v1/message_pb";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One message's text as far as it is known. Positions are bytes of UTF-8 from its beginning. */
export class Text {
  private text = "";
  private bytes = 0;
  private complete = false;

  toString(): string {
    return this.text;
  }

  /**
   * Add what is new in a piece; return whether anything was. A piece behind a hole (its reader
   * came later than the message's beginning) adds nothing: the whole message will follow.
   */
  append(position: bigint, piece: string): boolean {
    const known = this.bytes - Number(position);
    if (this.complete || known < 0) return false;
    const encoded = encoder.encode(piece);
    if (known >= encoded.length) return false;
    this.text += known ? decoder.decode(encoded.subarray(known)) : piece;
    this.bytes = Number(position) + encoded.length;
    return true;
  }

  /** Take the committed message in the place of the pieces. */
  replace(whole: string): void {
    this.text = whole;
    this.complete = true;
  }
}

/** A message's text: its text parts, each beginning a line of its own. */
export function textOf(parts: Part[]): string {
  const texts = parts.filter((part) => part.content.case === "text");
  return texts.map((part) => part.content.value as string).join("\n");
}
