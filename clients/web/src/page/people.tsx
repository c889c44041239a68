// A window: who takes part in a conversation, and letting others in.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { listed } from "../antiphon";
import { Role } from "../gen/antiphon/auth/v1/access_pb";
import type { Member } from "../gen/antiphon/context/v1/conversation_pb";
import type { Desk } from "./desk";
import { Avatar, Dialog, IconButton, Notice, Spinner } from "./parts";
import { sentenceOf, shortName } from "./words";

const MOST = 1_000;
const MEANINGS: [Role, string][] = [
  [Role.MEMBER, "writes"],
  [Role.VIEWER, "reads"],
  [Role.GUEST, "writes, and is not told who is here"],
  [Role.ADMIN, "lets others in"],
];
const NAMES: Partial<Record<Role, string>> = {
  [Role.OWNER]: "owner",
  [Role.ADMIN]: "admin",
  [Role.MEMBER]: "member",
  [Role.VIEWER]: "viewer",
  [Role.GUEST]: "guest",
};

/** Members, whom admins and owners add and remove. */
export function PeopleDialog(props: { desk: Desk; resource: string; onClose: () => void }): JSX.Element {
  const { desk, resource } = props;
  const { context } = desk.session.stubs;
  const [members, setMembers] = useState<Member[]>();
  const [error, setError] = useState("");
  const load = async () => {
    const found = await listed(
      (pageToken) => context.listMembers({ resource, pageSize: 200, pageToken }),
      (page) => page.members,
      MOST,
    );
    for (const { userId, displayName } of found) desk.names.learn(userId, displayName);
    setMembers(found);
  };
  const doing = async (work: () => Promise<unknown>) => {
    try {
      await work();
      setError("");
      return true;
    } catch (thrown) {
      setError(sentenceOf(thrown));
      return false;
    }
  };
  useEffect(() => void doing(load), []);
  const own = members?.find((each) => `users/${each.userId}` === desk.session.actor)?.role;
  const isManaged = own === Role.OWNER || own === Role.ADMIN;
  const remove = (userId: string) => () =>
    doing(() => context.removeMember({ resource, userId }).then(load));
  return (
    <Dialog title="People" onClose={props.onClose}>
      {error && <Notice text={error} />}
      {!members && !error && <Spinner label="Loading" />}
      <ul class="places">
        {members?.map((each) => {
          const actor = `users/${each.userId}`;
          const isSelf = actor === desk.session.actor;
          const name = each.displayName || shortName(actor);
          return (
            <li key={each.userId}>
              <Avatar actor={actor} name={name} />
              <span class="grow">
                {name}
                {isSelf && <span class="quiet"> (you)</span>}
              </span>
              <span class="quiet">{NAMES[each.role] ?? ""}</span>
              {isManaged && !isSelf && (
                <IconButton name="close" label={`Remove ${name}`} onClick={remove(each.userId)} />
              )}
            </li>
          );
        })}
      </ul>
      {isManaged && (
        <LetIn
          onAdd={(who, role) =>
            doing(async () => {
              await context.addMember({ resource, userId: await idOf(desk, who), role });
              await load();
            })
          }
        />
      )}
    </Dialog>
  );
}

function LetIn({ onAdd }: { onAdd: (who: string, role: Role) => Promise<boolean> }): JSX.Element {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    if (await onAdd(`${data.get("who")}`.trim(), Number(data.get("role")))) form.reset();
  };
  return (
    <section>
      <h3>Let somebody in</h3>
      <form onSubmit={submit}>
        <label>
          Their id, which they find under Account
          <input name="who" placeholder="user_…" required maxLength={80} spellcheck={false} autocomplete="off" />
        </label>
        <label>
          As
          <select name="role">
            {MEANINGS.map(([role, meaning]) => (
              <option key={role} value={role}>
                {NAMES[role]}: {meaning}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="primary">
          Let in
        </button>
      </form>
    </section>
  );
}

/** Operators know people by name, others by the id that they were told. */
async function idOf(desk: Desk, who: string): Promise<string> {
  if (who.startsWith("user_") || !desk.session.user?.operator) return who;
  const { user } = await desk.session.stubs.auth.getUser({ name: who });
  return user?.userId ?? who;
}
