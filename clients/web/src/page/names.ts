// What people are called: those who share a place are told each other's names.

import { Changing, type Session, errorOf, listed } from "../antiphon";
import { shortName } from "./words";

const MOST_MEMBERS = 1_000;

/** Names by actor. They are asked for when somebody is to be shown, for all of a place at once. */
export class Names extends Changing {
  private readonly known = new Map<string, string>();
  private readonly wondered = new Set<string>();
  private waiting = new Set<string>();

  constructor(private readonly session: Session) {
    super();
    if (session.user) this.known.set(session.actor, session.user.displayName || session.user.name);
  }

  /** What somebody is called; `places` are conversations and workspaces whose members may know. */
  of(actor: string, places: string[]): string {
    const name = this.known.get(actor);
    if (!name && actor.startsWith("users/")) this.wonder(actor, places);
    return name || shortName(actor);
  }

  /** All names that were told, by actor. */
  get all(): ReadonlyMap<string, string> {
    return this.known;
  }

  /** Somebody's name was told. */
  learn(userId: string, name: string): void {
    if (name) this.known.set(`users/${userId}`, name);
  }

  private wonder(actor: string, places: string[]): void {
    const key = [actor, ...places].join(" ");
    if (this.wondered.has(key)) return;
    this.wondered.add(key);
    this.waiting.add(actor);
    if (this.waiting.size > 1) return;
    // What is drawn now may wonder about others, too.
    queueMicrotask(() => {
      const actors = [...this.waiting];
      this.waiting = new Set();
      void this.ask(actors, places).catch(() => this.wondered.clear());
    });
  }

  private async ask(actors: string[], places: string[]): Promise<void> {
    const missing = () => actors.filter((actor) => !this.known.has(actor));
    for (const place of places) {
      if (missing().length) await this.askMembers(place);
    }
    if (this.session.user?.operator) await Promise.all(missing().map((actor) => this.askAccount(actor)));
    if (missing().length < actors.length) this.changed();
  }

  private async askMembers(resource: string): Promise<void> {
    try {
      const members = await listed(
        (pageToken) => this.session.stubs.context.listMembers({ resource, pageSize: 200, pageToken }),
        (page) => page.members,
        MOST_MEMBERS,
      );
      for (const { userId, displayName } of members) this.learn(userId, displayName);
    } catch (thrown) {
      if (errorOf(thrown).isAway) throw thrown;
      // Guests are not told: the id does as well.
    }
  }

  private async askAccount(actor: string): Promise<void> {
    const userId = actor.slice("users/".length);
    try {
      const { user } = await this.session.stubs.auth.getUser({ userId });
      if (user) this.learn(userId, user.displayName || user.name);
    } catch (thrown) {
      if (errorOf(thrown).isAway) throw thrown;
    }
  }
}
