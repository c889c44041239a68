// Results of tools that are kept whole, read piece by piece.

import { PartKind } from "../gen/antiphon/context/v1/message_pb";
import type { Stubs } from "./channel";

const REFERENCE = /^antiphon:tool_[0-9A-Za-z_-]+\/(\d+)$/;

/** A part of a result, as far as it was read: `size` are its bytes, `parts` those of the result. */
export interface ResultPart {
  data: Uint8Array<ArrayBuffer>;
  isText: boolean;
  mediaType: string;
  size: number;
  parts: number;
}

/** Which part of a kept result a reference is; undefined if it leads elsewhere. */
export function keptPartOf(uri: string): number | undefined {
  const found = REFERENCE.exec(uri);
  return found ? Number(found[1]) : undefined;
}

/** The first `most` bytes of a part, or all of it. Throws AntiphonError. */
export async function readPart(
  stubs: Stubs,
  conversationId: string,
  toolCallId: string,
  part: number,
  most: number,
): Promise<ResultPart> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (;;) {
    const read = await stubs.tools.readToolResult({ conversationId, toolCallId, part, offset: BigInt(offset) });
    const size = Number(read.sizeBytes);
    pieces.push(new Uint8Array(read.data));
    offset += read.data.length;
    if (offset < Math.min(size, most) && read.data.length) continue;
    const data = new Uint8Array(await new Blob(pieces).arrayBuffer());
    return { data, isText: read.kind === PartKind.TEXT, mediaType: read.mediaType, size, parts: read.parts };
  }
}
