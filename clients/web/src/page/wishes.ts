// Who shall answer, as it was chosen in each conversation of this tab.

import type { Wishes } from "../antiphon";

const KEY = "antiphon.wishes";
const NONE: Wishes = { handler: "", model: "" };

/** What was chosen, by conversation; "" is the one that begins next. A reload keeps it. */
export class WishBook {
  private readonly chosen = new Map<string, Wishes>(kept());

  /** What was chosen there; the server's choice where nothing was. */
  of(conversationId: string): Wishes {
    return this.chosen.get(conversationId) ?? NONE;
  }

  /** Choose. */
  set(conversationId: string, wishes: Wishes): void {
    if (wishes.handler || wishes.model) this.chosen.set(conversationId, wishes);
    else this.chosen.delete(conversationId);
    sessionStorage.setItem(KEY, JSON.stringify([...this.chosen]));
  }

  /** What was chosen for one is another's. */
  move(from: string, to: string): void {
    this.set(to, this.of(from));
    this.set(from, NONE);
  }
}

function kept(): [string, Wishes][] {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
  } catch {
    return [];
  }
}
