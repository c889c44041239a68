// Windows before the page: one's account, the keyboard, names.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Session, listed } from "../antiphon";
import { type Session as Place, LoginMethod } from "../gen/antiphon/auth/v1/auth_pb";
import { CopyButton, Dialog, Notice, Spinner } from "./parts";
import { moment, sentenceOf } from "./words";

/** What keys do. */
export function ShortcutsDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const keys: [string, string][] = [
    ["Enter", "send"],
    ["Shift + Enter", "new line"],
    ["Esc", "stop the answer, or close a window"],
    ["Ctrl + K", "search messages"],
    ["Alt + N", "new conversation"],
    ["Ctrl + B", "show or hide the list"],
    ["Alt + ↑ ↓", "the conversation before, after"],
    ["Alt + A", "to what waits for your approval"],
    ["/", "go and write"],
    ["?", "this list"],
  ];
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl class="keys">
        {keys.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

/** Asks whether to go on. */
export function ConfirmDialog(props: {
  title: string;
  text: string;
  button: string;
  onConfirm: () => Promise<void>;
  onClose: () => void;
}): JSX.Element {
  const [error, setError] = useState("");
  const confirm = async () => {
    try {
      await props.onConfirm();
      props.onClose();
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
  };
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      {error && <Notice text={error} />}
      <p>{props.text}</p>
      <div class="row end">
        <button type="button" onClick={props.onClose}>
          Cancel
        </button>
        <button type="button" class="primary" autofocus onClick={confirm}>
          {props.button}
        </button>
      </div>
    </Dialog>
  );
}

/** Asks for a name. */
export function NameDialog(props: {
  title: string;
  value: string;
  button: string;
  maxLength: number;
  onName: (name: string) => Promise<void>;
  onClose: () => void;
}): JSX.Element {
  const [error, setError] = useState("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    try {
      await props.onName(`${data.get("name")}`.trim());
      props.onClose();
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
  };
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form onSubmit={submit}>
        {error && <Notice text={error} />}
        <label>
          Name
          <input name="name" defaultValue={props.value} required maxLength={props.maxLength} autofocus />
        </label>
        <button type="submit" class="primary">
          {props.button}
        </button>
      </form>
    </Dialog>
  );
}

/** Where one is signed in, one's password, and devices that ask to be let in. */
export function AccountDialog({ session, onClose }: { session: Session; onClose: () => void }): JSX.Element {
  const { user } = session;
  return (
    <Dialog title={user?.displayName || user?.name || "Account"} onClose={onClose}>
      <p class="own-id">
        <span class="quiet">Your id, for those who let you in:</span>
        <code>{user?.userId}</code>
        <CopyButton text={user?.userId ?? ""} label="Copy your id" />
      </p>
      <Sessions session={session} />
      <LetIn session={session} />
      <Password session={session} />
    </Dialog>
  );
}

function Sessions({ session }: { session: Session }): JSX.Element {
  const [places, setPlaces] = useState<Place[]>();
  const [error, setError] = useState("");
  const load = () =>
    listed(
      (pageToken) => session.stubs.auth.listSessions({ pageToken }),
      (page) => page.sessions,
      100,
    ).then(setPlaces, (thrown) => setError(sentenceOf(thrown)));
  useEffect(() => void load(), []);
  const end = (sessionId: string) => async () => {
    await session.stubs.auth.revokeSession({ sessionId }).catch((thrown) => setError(sentenceOf(thrown)));
    await load();
  };
  return (
    <section>
      <h3>Signed in</h3>
      {error && <Notice text={error} />}
      {!places && !error && <Spinner label="Loading" />}
      <ul class="places">
        {places?.map((each) => (
          <li key={each.sessionId}>
            <span class="grow">
              {each.device || "unknown device"}
              <small>
                {methodOf(each)} · {each.lastAddress || each.firstAddress || "this machine"}
                {each.createTime && ` · since ${moment(timestampMs(each.createTime))}`}
              </small>
            </span>
            {each.current ? (
              <span class="tag">here</span>
            ) : (
              <button type="button" class="small" onClick={end(each.sessionId)}>
                End
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function methodOf(place: Place): string {
  return place.provider || (LoginMethod[place.method] ?? "").toLowerCase().replaceAll("_", " ");
}

function LetIn({ session }: { session: Session }): JSX.Element {
  const [code, setCode] = useState("");
  const [asking, setAsking] = useState<{ device: string; address: string }>();
  const [told, setTold] = useState("");
  const look = async (event: SubmitEvent) => {
    event.preventDefault();
    setTold("");
    try {
      setAsking(await session.stubs.auth.getDeviceLogin({ userCode: code.trim() }));
    } catch (thrown) {
      setTold(sentenceOf(thrown));
    }
  };
  const decide = (approve: boolean) => async () => {
    setAsking(undefined);
    try {
      await session.stubs.auth.decideDeviceLogin({ userCode: code.trim(), approve });
      setTold(approve ? "It is let in." : "It was refused.");
      setCode("");
    } catch (thrown) {
      setTold(sentenceOf(thrown));
    }
  };
  return (
    <section>
      <h3>Let a device in</h3>
      {asking ? (
        <div>
          <p>
            <strong>{asking.device || "A device"}</strong> at {asking.address || "this machine"} wants to be signed
            in as you. Only let in what you hold in your hands.
          </p>
          <div class="row">
            <button type="button" class="primary" onClick={decide(true)}>
              Let it in
            </button>
            <button type="button" onClick={decide(false)}>
              Refuse
            </button>
          </div>
        </div>
      ) : (
        <form class="row" onSubmit={look}>
          <input
            aria-label="The code that the device shows"
            placeholder="BCDF-GHJK"
            value={code}
            minLength={8}
            maxLength={16}
            required
            spellcheck={false}
            onInput={(event) => setCode(event.currentTarget.value)}
          />
          <button type="submit">Look</button>
        </form>
      )}
      <p role="status" class="quiet">
        {told}
      </p>
    </section>
  );
}

function Password({ session }: { session: Session }): JSX.Element {
  const [told, setTold] = useState("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    try {
      await session.stubs.auth.changePassword({
        oldPassword: `${data.get("old")}`,
        newPassword: `${data.get("new")}`,
      });
      form.reset();
      setTold("It is changed; your other sessions have ended.");
    } catch (thrown) {
      setTold(sentenceOf(thrown));
    }
  };
  return (
    <section>
      <h3>Change the password</h3>
      <form onSubmit={submit} method="post">
        <label>
          The password so far
          <input name="old" type="password" autocomplete="current-password" required />
        </label>
        <label>
          New password, at least 12 characters
          <input name="new" type="password" autocomplete="new-password" minLength={12} required />
        </label>
        <button type="submit">Change it</button>
      </form>
      <p role="status" class="quiet">
        {told}
      </p>
    </section>
  );
}
