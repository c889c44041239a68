// The address behind `#`, which says what is open, so that it can be gone back to and shared.

const OPEN = /^#\/c\/(conv_[\w-]{8,64})(?:\/(msg_[\w-]{1,76}))?$/;

/** Which conversation is open, and which message of it somebody wants to see; empty where none. */
export function openAt(hash: string): { conversationId: string; messageId: string } {
  const [, conversationId = "", messageId = ""] = OPEN.exec(hash) ?? [];
  return { conversationId, messageId };
}

/** The address of a message; whoever may read its conversation is shown it there. */
export function addressOf(conversationId: string, messageId: string): string {
  return `#/c/${conversationId}/${messageId}`;
}
