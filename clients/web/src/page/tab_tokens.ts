// Tokens of a browser's tabs.
//
// The access token stays in memory. The refresh token is in sessionStorage, so that a reload does
// not ask for the password: it is this tab's, is gone with it, and is never on disk for longer
// than the tab. What runs in this page could read it; so the page's policy lets only its own files
// run, and nothing that was said is ever made HTML. A refresh token works once, so tabs of one
// session tell each other the newest, and renew one at a time.

import type { TokenStore, Tokens } from "../antiphon";

const KEY = "antiphon.session";
const ANSWER_MS = 150;

interface News {
  kind: "tokens" | "ask" | "ended";
  sessionId: string;
  tokens?: Tokens;
}

/** Keeps a tab's tokens, and tells other tabs of the same session. */
export class TabTokens implements TokenStore {
  private readonly channel = new BroadcastChannel("antiphon.session");
  private tokens: Tokens | undefined;
  private asked: ((tokens: Tokens) => void) | undefined;
  /** Another tab has renewed the tokens. */
  onNews: (tokens: Tokens) => void = () => {};
  /** Another tab has signed out. */
  onEnded: () => void = () => {};

  constructor() {
    this.tokens = this.kept();
    this.channel.onmessage = ({ data }: MessageEvent<News>) => this.hear(data);
  }

  /** The newest tokens; a tab that was opened beside others gets theirs. */
  async load(): Promise<Tokens | undefined> {
    return (await this.ask()) ?? this.tokens;
  }

  save(tokens: Tokens | undefined): void {
    const ended = this.tokens;
    this.tokens = tokens;
    this.keep(tokens);
    if (tokens) this.tell({ kind: "tokens", sessionId: tokens.sessionId, tokens });
    else if (ended) this.tell({ kind: "ended", sessionId: ended.sessionId });
  }

  locked<Result>(work: () => Promise<Result>): Promise<Result> {
    if (!("locks" in navigator)) return work(); // plain http:// that is not loopback
    return navigator.locks.request(KEY, work) as Promise<Result>;
  }

  private hear(news: News): void {
    const isMine = news.sessionId === this.tokens?.sessionId;
    if (news.kind === "ask" && this.tokens && (isMine || !news.sessionId)) {
      this.tell({ kind: "tokens", sessionId: this.tokens.sessionId, tokens: this.tokens });
    } else if (news.kind === "tokens" && news.tokens && (isMine || (this.asked && !this.tokens))) {
      this.tokens = news.tokens;
      this.keep(news.tokens);
      this.asked?.(news.tokens);
      this.onNews(news.tokens);
    } else if (news.kind === "ended" && isMine) {
      this.tokens = undefined;
      this.keep(undefined);
      this.onEnded();
    }
  }

  private ask(): Promise<Tokens | undefined> {
    return new Promise((done) => {
      const timer = setTimeout(() => finish(undefined), ANSWER_MS);
      const finish = (tokens: Tokens | undefined) => {
        clearTimeout(timer);
        this.asked = undefined;
        done(tokens);
      };
      this.asked = finish;
      this.tell({ kind: "ask", sessionId: this.tokens?.sessionId ?? "" });
    });
  }

  private tell(news: News): void {
    this.channel.postMessage(news);
  }

  /** A reload has no access token: it begins with a renewal. */
  private kept(): Tokens | undefined {
    try {
      const { refreshToken, sessionId } = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
      if (!refreshToken) return undefined;
      return { accessToken: "", accessExpiresAt: 0, refreshToken, sessionId };
    } catch {
      return undefined;
    }
  }

  private keep(tokens: Tokens | undefined): void {
    if (!tokens) return sessionStorage.removeItem(KEY);
    const { refreshToken, sessionId } = tokens;
    sessionStorage.setItem(KEY, JSON.stringify({ refreshToken, sessionId }));
  }
}
