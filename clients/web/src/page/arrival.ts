// Coming back from an identity provider, or by the link that the server's terminal shows.

import { type ProviderLogin, type Session, type Tokens, errorOf } from "../antiphon";
import { sentenceOf } from "./words";

const KEY = "antiphon.provider_login";
const LINK = "#link=";

/** Keep what is needed to end a login, for the time of the journey. */
export function keepProviderLogin(login: ProviderLogin): void {
  sessionStorage.setItem(KEY, JSON.stringify(login));
}

/** Whether an address's end is a link that signs in. */
export function isLink(hash: string): boolean {
  return hash.startsWith(LINK);
}

/**
 * Sign in with what the address brought. Returns whether one is signed in by it; an error's
 * sentence if it did not work. What the address held is taken out of it at once.
 */
export async function arrive(session: Session): Promise<boolean | string> {
  const { hash, search } = location;
  try {
    if (isLink(hash)) {
      history.replaceState(null, "", location.pathname);
      await session.logInByTokens(await redeem(hash.slice(LINK.length)));
      return true;
    }
    const redirect = new URLSearchParams(search);
    const kept = sessionStorage.getItem(KEY);
    if (!kept || !redirect.has("state")) return false;
    sessionStorage.removeItem(KEY);
    history.replaceState(null, "", location.pathname);
    const login = JSON.parse(kept) as ProviderLogin;
    if (redirect.get("state") !== login.state) return "That was not the sign-in that began here.";
    await session.finishProviderLogin(login, redirect);
    return true;
  } catch (thrown) {
    return thrown instanceof LinkRefused ? thrown.message : sentenceOf(errorOf(thrown));
  }
}

class LinkRefused extends Error {}

/** The local operator's link, which works once. */
async function redeem(link: string): Promise<Tokens> {
  const answer = await fetch("/link", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ link }),
    credentials: "omit",
    cache: "no-store",
  });
  if (!answer.ok) {
    throw new LinkRefused(
      "That link has been used, or is too old. `antiphon web` shows a new one; or sign in here.",
    );
  }
  return (await answer.json()) as Tokens;
}
