// Where routes stand: there they find who answers what is said to nobody by name.

import { Changing, type Session } from "../antiphon";
import { OF_ALL } from "./usage/budgets";

/** Where something is said: in a conversation, or in a workspace; both are empty before there is one. */
export interface Place {
  conversationId: string;
  workspaceId: string;
}

/** Whether routes stand, by place. It is asked for when somebody is about to say something there. */
export class Routed extends Changing {
  private readonly known = new Map<string, boolean>();
  private readonly asked = new Set<string>();

  constructor(private readonly session: Session) {
    super();
  }

  /** Undefined as long as that is not known, and where one may not know it. */
  at(place: Place): boolean | undefined {
    const key = `${place.conversationId} ${place.workspaceId}`;
    if (!this.asked.has(key)) void this.ask(key, place);
    return this.known.get(key);
  }

  /** Rules may have been set meanwhile: what is wanted is asked for again. */
  forget(): void {
    this.asked.clear();
  }

  private async ask(key: string, place: Place): Promise<void> {
    this.asked.add(key);
    const found = (await this.explained(place)) ?? (await this.read(place));
    if (found === undefined || found === this.known.get(key)) return;
    this.known.set(key, found);
    this.changed();
  }

  /** Whose routes decide about anything at all that is said there: nobody's where none stand. */
  private async explained({ conversationId }: Place): Promise<boolean | undefined> {
    if (!conversationId) return undefined;
    const parts = [{ content: { case: "text" as const, value: "…" } }];
    return this.session.stubs.routes.explainRoute({ conversationId, parts }).then(
      ({ decision }) => !!decision?.parent, // whose routes were asked
      () => undefined, // only who may write there is told
    );
  }

  /** Before there is a conversation who may read the rules knows whether there are any. */
  private async read({ workspaceId }: Place): Promise<boolean | undefined> {
    const parents = [...(workspaceId ? [workspaceId] : []), ...(this.session.user?.operator ? [OF_ALL] : [])];
    const { routes } = this.session.stubs;
    const read = parents.map((parent) => routes.getRoutes({ parent }).then(({ routes: found }) => !!found?.rules.length));
    const found = (await Promise.allSettled(read)).map((each) => (each.status === "fulfilled" ? each.value : undefined));
    if (found.includes(true)) return true;
    return this.session.user?.operator && !found.includes(undefined) ? false : undefined;
  }
}
