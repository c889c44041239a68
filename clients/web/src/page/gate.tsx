// Before the pages: who one is, kept over reloads and tabs.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type AntiphonError, Session, errorOf } from "../antiphon";
import { arrive, isLink } from "./arrival";
import { Desk } from "./desk";
import { Mark, Notice, Spinner } from "./parts";
import { SignIn } from "./sign_in";
import { TabTokens } from "./tab_tokens";
import { sentenceOf, whySignedOut } from "./words";

// A browser has six connections for all tabs of a server that has no TLS: those that nobody
// looks at give theirs back, and go on by their cursor when they are looked at.
const HIDDEN_MS = 30_000;
const RETRY_MS = 2_000;
// What comes while nobody asked for it may come this much late before the network is doubted.
const DOUBT_MS = 10_000;

type State =
  | { kind: "starting"; why: string }
  | { kind: "signed out"; why: string }
  | { kind: "signed in"; desk: Desk };

interface Ground {
  session: Session;
  store: TabTokens;
  hear: { connection: (desk: Desk | undefined) => void };
}

function device(): string {
  const { userAgent } = navigator;
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(userAgent)?.[1] ?? "browser";
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(userAgent)?.[1] ?? "";
  return `web page, ${browser}${system && ` on ${system}`}`;
}

/** Shows `children` to whoever is signed in, and everybody else how to. */
export function Gate(props: {
  children: (desk: Desk, signOut: () => void) => ComponentChildren;
}): JSX.Element {
  const [state, setState] = useState<State>({ kind: "starting", why: "" });
  const [ground] = useState(() => lay((why) => setState({ kind: "signed out", why })));
  const enter = () => {
    const desk = new Desk(ground.session);
    ground.hear.connection(desk);
    void desk.start();
    setState({ kind: "signed in", desk });
  };
  const leave = async () => {
    if (state.kind === "signed in") {
      state.desk.close();
      state.desk.memory.forget();
    }
    await ground.session.logOut();
    location.replace(location.pathname); // nothing of it stays in memory
  };
  useEffect(() => {
    const begin = async (refusal = "") => {
      const arrived = await arrive(ground.session);
      if (arrived === true) return enter();
      // A link that is used up is nothing to whoever is signed in already.
      const why = arrived || refusal;
      try {
        await ground.session.resume();
        enter();
      } catch (thrown) {
        const error = errorOf(thrown);
        if (!error.isAway) return setState({ kind: "signed out", why: why || (error.reason ? whySignedOut(error) : "") });
        setState({ kind: "starting", why: sentenceOf(error) });
        setTimeout(() => void begin(why), RETRY_MS);
      }
    };
    void begin();
  }, []);
  useEffect(reloadForLinks, []);
  useEffect(() => {
    if (state.kind !== "signed in") return;
    return sleepWhenHidden(ground.session);
  }, [state.kind]);
  switch (state.kind) {
    case "starting":
      return (
        <main class="sign-in" aria-busy="true">
          <div class="starting">
            <Mark />
            <h1 class="hidden">Antiphon</h1>
            {state.why && <Notice text={state.why} />}
            <Spinner label="Connecting" />
          </div>
        </main>
      );
    case "signed out":
      return <SignIn session={ground.session} reason={state.why} onSignedIn={enter} />;
    case "signed in":
      return <>{props.children(state.desk, () => void leave())}</>;
  }
}

function lay(onSignedOut: (why: string) => void): Ground {
  const store = new TabTokens();
  let desk: Desk | undefined;
  const signedOut = (error?: AntiphonError) => {
    if (!desk) return;
    desk.close();
    desk = undefined;
    onSignedOut(whySignedOut(error));
  };
  const session = new Session({ baseUrl: location.origin }, device(), store, {
    connection: (connection) => desk?.setConnection(connection),
    signedOut,
  });
  store.onNews = (tokens) => session.tokens.adopt(tokens);
  store.onEnded = () => signedOut();
  return { session, store, hear: { connection: (found) => (desk = found) } };
}

/** A sign-in link that is pasted into this tab changes no more than what is behind `#`. */
function reloadForLinks(): () => void {
  const look = () => isLink(location.hash) && location.reload();
  addEventListener("hashchange", look);
  return () => removeEventListener("hashchange", look);
}

function sleepWhenHidden({ follower }: Session): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => follower.pause(), HIDDEN_MS);
    else follower.resume();
  };
  const online = () => follower.resume();
  const doubt = setInterval(() => document.hidden || follower.check(), DOUBT_MS);
  document.addEventListener("visibilitychange", look);
  addEventListener("online", online);
  return () => {
    clearTimeout(timer);
    clearInterval(doubt);
    document.removeEventListener("visibilitychange", look);
    removeEventListener("online", online);
  };
}
