// Accounts, and where they are signed in.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { listed } from "../antiphon";
import { LoginMethod, type User, UserKind } from "../gen/antiphon/auth/v1/auth_pb";
import type { Desk } from "../page/desk";
import { Notice } from "../page/parts";
import { moment, sentenceOf } from "../page/words";
import { useLoaded } from "../page/loading";
import { State, Table, wordOf } from "../page/table";

/** Who has an account; a click shows their sessions. */
export function People({ desk }: { desk: Desk }): JSX.Element {
  const { auth } = desk.session.stubs;
  const [prefix, setPrefix] = useState("");
  const [chosen, setChosen] = useState<User>();
  const [error, setError] = useState("");
  const users = useLoaded(
    () =>
      listed(
        (pageToken) => auth.listUsers({ pageToken, namePrefix: prefix.trim().toLowerCase() }),
        (page) => page.users,
        200,
      ),
    [prefix],
  );
  const setDisabled = (user: User, disabled: boolean) => async () => {
    await auth
      .updateUser({ userId: user.userId, user: { disabled }, updateMask: { paths: ["disabled"] } })
      .catch((thrown) => setError(sentenceOf(thrown)));
    users.reload();
  };
  return (
    <>
      <div class="bar">
        <input
          type="search"
          placeholder="Name begins with"
          aria-label="Name begins with"
          value={prefix}
          onInput={(event) => setPrefix(event.currentTarget.value)}
        />
      </div>
      {error && <Notice text={error} />}
      <Table
        label="Accounts"
        rows={users.value}
        error={users.error}
        keyOf={(user) => user.userId}
        empty="Nobody has such a name."
        columns={[
          { name: "name", cell: (user) => user.name },
          { name: "called", cell: (user) => user.displayName },
          { name: "is", cell: (user) => (user.operator ? "operator" : wordOf(UserKind, user.kind)) },
          { name: "made", cell: (user) => (user.createTime ? moment(timestampMs(user.createTime)) : "") },
          { name: "state", cell: (user) => (user.disabled ? <State name="disabled" /> : "") },
          {
            name: "",
            cell: (user) => (
              <span class="row">
                <button type="button" class="small" aria-pressed={chosen?.userId === user.userId} onClick={() => setChosen(user)}>
                  Sessions
                </button>
                {user.userId !== desk.session.user?.userId && (
                  <button type="button" class="small" onClick={setDisabled(user, !user.disabled)}>
                    {user.disabled ? "Enable" : "Disable"}
                  </button>
                )}
              </span>
            ),
          },
        ]}
      />
      {chosen && <Sessions key={chosen.userId} desk={desk} user={chosen} />}
    </>
  );
}

function Sessions({ desk, user }: { desk: Desk; user: User }): JSX.Element {
  const { auth } = desk.session.stubs;
  const [error, setError] = useState("");
  const sessions = useLoaded(
    () =>
      listed(
        (pageToken) => auth.listSessions({ pageToken, userId: user.userId }),
        (page) => page.sessions,
        200,
      ),
    [user.userId],
    10_000,
  );
  const end = (sessionId: string) => async () => {
    await auth.revokeSession({ sessionId }).catch((thrown) => setError(sentenceOf(thrown)));
    sessions.reload();
  };
  return (
    <section>
      <h2>Sessions of {user.displayName || user.name}</h2>
      {error && <Notice text={error} />}
      <Table
        label="Sessions"
        rows={sessions.value}
        error={sessions.error}
        keyOf={(session) => session.sessionId}
        empty="They are signed in nowhere."
        columns={[
          { name: "device", cell: (session) => session.device },
          { name: "by", cell: (session) => session.provider || wordOf(LoginMethod, session.method) },
          { name: "signed in", cell: (session) => (session.createTime ? moment(timestampMs(session.createTime)) : "") },
          { name: "last used", cell: (session) => (session.lastUseTime ? moment(timestampMs(session.lastUseTime)) : "") },
          { name: "from", cell: (session) => session.lastAddress || "this machine" },
          {
            name: "",
            cell: (session) =>
              session.current ? (
                <span class="tag">here</span>
              ) : (
                <button type="button" class="small" onClick={end(session.sessionId)}>
                  End
                </button>
              ),
          },
        ]}
      />
    </section>
  );
}
