// Signing in: by password, at an identity provider, or with another device's help.

import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { DeviceCode, Session } from "../antiphon";
import { errorOf, milliseconds } from "../antiphon";
import { LoginMethod } from "../gen/antiphon/auth/v1/auth_pb";
import type { IdentityProvider } from "../gen/antiphon/auth/v1/auth_service_pb";
import { keepProviderLogin } from "./arrival";
import { Mark, Notice, Spinner } from "./parts";
import { sentenceOf } from "./words";

const THIS_MACHINE = new Set(["localhost", "127.0.0.1", "[::1]"]);

type Way = "password" | "device" | "reset";

/** The page before one is signed in. `reason` says why one is here, if one was before. */
export function SignIn(props: {
  session: Session;
  reason: string;
  onSignedIn: () => void;
}): JSX.Element {
  const [way, setWay] = useState<Way>("password");
  const [methods, setMethods] = useState<LoginMethod[]>([LoginMethod.PASSWORD]);
  const [providers, setProviders] = useState<IdentityProvider[]>([]);
  const [error, setError] = useState(props.reason);
  const look = () =>
    props.session.methods().then(
      (found) => {
        setMethods(found.methods);
        setProviders(found.providers);
      },
      (thrown) => setError((was) => was || sentenceOf(thrown)),
    );
  useEffect(() => void look(), [props.session]);
  const goTo = async (provider: string) => {
    setError("");
    try {
      const redirect = `${location.origin}/`;
      const { url, login } = await props.session.startProviderLogin(provider, redirect);
      keepProviderLogin(login);
      location.assign(url);
    } catch (thrown) {
      setError(sentenceOf(thrown));
      void look();
    }
  };
  const hasDevices = methods.includes(LoginMethod.DEVICE_CODE);
  return (
    <main class="sign-in">
      <div class="card">
        <div class="brand">
          <Mark />
          <h1>Antiphon</h1>
        </div>
        {error && <Notice text={error} />}
        {way === "password" && (
          <>
            {THIS_MACHINE.has(location.hostname) && (
              <p class="quiet">
                Is it your own server? <code>antiphon web</code> in a terminal shows a link that signs you in.
              </p>
            )}
            <PasswordForm {...props} onError={setError} />
            {providers.map((each) => (
              <ProviderButton key={each.name} provider={each} onGo={() => goTo(each.name)} onOver={look} />
            ))}
            <div class="ways">
              {hasDevices && (
                <button type="button" class="link" onClick={() => setWay("device")}>
                  Use another device
                </button>
              )}
              <button type="button" class="link" onClick={() => setWay("reset")}>
                Set a new password
              </button>
            </div>
          </>
        )}
        {way === "device" && (
          <DeviceForm {...props} onError={setError} onBack={() => setWay("password")} />
        )}
        {way === "reset" && (
          <ResetForm {...props} onError={setError} onBack={() => setWay("password")} />
        )}
      </div>
    </main>
  );
}

/** One that is left alone for now is not gone to; when that is over, `onOver` asks whether it is so yet. */
function ProviderButton(props: {
  provider: IdentityProvider;
  onGo: () => void;
  onOver: () => void;
}): JSX.Element {
  const { name, displayName, unavailable, retryAfter } = props.provider;
  const end = useMemo(() => Date.now() + (milliseconds(retryAfter) ?? 0), [props.provider]);
  const [, setTicks] = useState(0);
  useEffect(() => {
    if (!unavailable) return;
    const timer = setInterval(() => {
      setTicks((ticks) => ticks + 1);
      if (Date.now() >= end) props.onOver();
    }, 1000);
    return () => clearInterval(timer);
  }, [props.provider]);
  const leftS = Math.ceil(Math.max(end - Date.now(), 0) / 1000);
  const why = `unavailable-${name}`;
  return (
    <div class="provider">
      <button
        type="button"
        class="wide"
        disabled={unavailable}
        aria-describedby={unavailable ? why : undefined}
        onClick={props.onGo}
      >
        Sign in with {displayName || name}
      </button>
      {unavailable && (
        <p class="quiet" id={why}>
          It has failed too often, so nobody is sent there now. Try again in {leftS} s.
        </p>
      )}
    </div>
  );
}

interface Form {
  session: Session;
  onSignedIn: () => void;
  onError: (sentence: string) => void;
}

function PasswordForm({ session, onSignedIn, onError }: Form): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(form.current!);
    setBusy(true);
    onError("");
    try {
      await session.logInByPassword(`${data.get("name")}`, `${data.get("password")}`);
      onSignedIn();
    } catch (thrown) {
      onError(sentenceOf(thrown));
      setBusy(false);
      form.current?.querySelector<HTMLInputElement>("[name=password]")?.select();
    }
  };
  return (
    <form ref={form} onSubmit={submit} method="post">
      <label>
        Name
        <input name="name" autocomplete="username" autocapitalize="none" spellcheck={false} required autofocus maxLength={64} />
      </label>
      <label>
        Password
        <input name="password" type="password" autocomplete="current-password" required />
      </label>
      <button type="submit" class="primary wide" disabled={isBusy}>
        {isBusy ? <Spinner label="Signing in" /> : "Sign in"}
      </button>
    </form>
  );
}

function DeviceForm({ session, onSignedIn, onError, onBack }: Form & { onBack: () => void }): JSX.Element {
  const [code, setCode] = useState<DeviceCode>();
  useEffect(() => {
    const giveUp = new AbortController();
    const wait = async () => {
      onError("");
      try {
        const started = await session.startDeviceLogin();
        setCode(started);
        await session.finishDeviceLogin(started, giveUp.signal);
        onSignedIn();
      } catch (thrown) {
        if (giveUp.signal.aborted) return;
        onError(sentenceOf(thrown));
        onBack();
      }
    };
    void wait();
    return () => giveUp.abort();
  }, []);
  return (
    <div class="device">
      <p>Where you are signed in already, open your account and let this device in:</p>
      <output class="device-code" aria-live="polite">
        {code?.userCode ?? "…"}
      </output>
      <p class="quiet">
        Or type <code>antiphon approve {code?.userCode ?? "…"}</code> in a terminal. The code lives
        for 10 minutes.
      </p>
      <button type="button" class="link" onClick={onBack}>
        Back
      </button>
    </div>
  );
}

function ResetForm({ session, onError, onBack }: Form & { onBack: () => void }): JSX.Element {
  const [isDone, setDone] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    onError("");
    try {
      await session.resetPassword(`${data.get("token")}`.trim(), `${data.get("password")}`);
      setDone(true);
    } catch (thrown) {
      const isToken = errorOf(thrown).reason === "CREDENTIALS_INVALID";
      onError(isToken ? "That token does not work any more. Ask an operator." : sentenceOf(thrown));
    }
  };
  if (isDone) {
    return (
      <div class="device">
        <p role="status">The new password is set.</p>
        <button type="button" class="primary wide" onClick={onBack}>
          Sign in
        </button>
      </div>
    );
  }
  return (
    <form onSubmit={submit} method="post">
      <p class="quiet">An operator gives you the token for it.</p>
      <label>
        Token
        <input name="token" autocomplete="one-time-code" spellcheck={false} required maxLength={256} autofocus />
      </label>
      <label>
        New password, at least 12 characters
        <input name="password" type="password" autocomplete="new-password" minLength={12} required />
      </label>
      <button type="submit" class="primary wide">
        Set it
      </button>
      <button type="button" class="link" onClick={onBack}>
        Back
      </button>
    </form>
  );
}
