// Ids that a client chooses.

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"; // 32, as Crockford's base32

function random(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => ALPHABET[byte % 32]).join("");
}

const LONGEST_TURN_ID = 69;
const AGAIN = /^turn_.+_of_([0-9A-Za-z_-]{8,})$/;

/**
 * A turn's id: also its idempotency key. One that asks once more what another turn asked says so in
 * its id, so that whoever reads the log can show both answers in one place.
 */
export function newTurnId(again = ""): string {
  const id = `turn_${random(26)}`;
  const repeated = again && `${id}_of_${firstOf(again).slice("turn_".length)}`;
  return repeated && repeated.length <= LONGEST_TURN_ID ? repeated : id;
}

/** The turn that asked it first: the turn itself, unless its id says that it asks again. */
export function firstOf(turnId: string): string {
  const first = AGAIN.exec(turnId)?.[1];
  return first ? `turn_${first}` : turnId;
}

/** A webhook's id. */
export function newWebhookId(): string {
  return `wh_${random(26)}`;
}

/** A name for a stream. */
export function newFollowId(): string {
  return random(26);
}

/** What makes a repeated call return the first one's answer. */
export function newRequestId(): string {
  if ("randomUUID" in crypto) return crypto.randomUUID();
  // Pages of a plain http:// address that is not loopback have no randomUUID.
  const bytes = (crypto as Crypto).getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
