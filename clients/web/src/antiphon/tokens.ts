// The access token for the next call: kept, and renewed in time.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import type { TokenPair } from "../gen/antiphon/auth/v1/auth_pb";
import { AntiphonError, errorOf } from "./errors";

const MARGIN_MS = 60_000;
const MARGIN_SHARE = 0.2;
const LEAST_LIFE_MS = 10_000;

/** A session's tokens. Times are Unix milliseconds. */
export interface Tokens {
  accessToken: string;
  accessExpiresAt: number;
  refreshToken: string;
  sessionId: string;
}

/** Where tokens are kept between pages, and who else uses them. */
export interface TokenStore {
  /** The newest tokens of the session, wherever they were renewed. */
  load(): Promise<Tokens | undefined>;
  /** Keep them, or forget them. */
  save(tokens: Tokens | undefined): void;
  /** Run while nobody else renews the session's tokens. */
  locked<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** Keeps tokens for as long as the program runs. */
export class MemoryTokenStore implements TokenStore {
  private tokens: Tokens | undefined;

  async load(): Promise<Tokens | undefined> {
    return this.tokens;
  }

  save(tokens: Tokens | undefined): void {
    this.tokens = tokens;
  }

  locked<Result>(work: () => Promise<Result>): Promise<Result> {
    return work();
  }
}

/** Exchanges a refresh token for the next pair. */
export type Refresh = (refreshToken: string) => Promise<TokenPair>;

/** A session's tokens, from their message. */
export function tokensOf(pair: TokenPair, clock: () => number = Date.now): Tokens {
  const expires = pair.accessExpireTime ? timestampMs(pair.accessExpireTime) : Infinity;
  return {
    accessToken: pair.accessToken,
    // A clock that is ahead must not make them look expired.
    accessExpiresAt: Math.max(expires, clock() + LEAST_LIFE_MS),
    refreshToken: pair.refreshToken,
    sessionId: pair.sessionId,
  };
}

/**
 * Gives a token that works, however many ask at once: renewal is one flight for all who wait,
 * since a refresh token works once.
 */
export class TokenSource {
  private tokens: Tokens | undefined;
  private dueAt = 0;
  private rejected = "";
  private flight: Promise<Tokens> | undefined;

  constructor(
    private readonly refresh: Refresh,
    private readonly store: TokenStore,
    private readonly onSignedOut: (error: AntiphonError) => void = () => {},
    private readonly clock: () => number = Date.now,
  ) {}

  /** Begin with tokens of a sign-in, or forget them. */
  take(tokens: Tokens | undefined): void {
    this.keep(tokens);
    this.store.save(tokens);
  }

  /** Tokens that another page has renewed already. */
  adopt(tokens: Tokens): void {
    this.keep(tokens);
  }

  /** The session that the tokens belong to; empty without one. */
  get sessionId(): string {
    return this.tokens?.sessionId ?? "";
  }

  /** The newest tokens as they are. */
  get current(): Tokens | undefined {
    return this.tokens;
  }

  /** Milliseconds until the token is to be renewed; 0 or less if it must be now. */
  get usableForMs(): number {
    if (!this.tokens || this.tokens.accessToken === this.rejected) return 0;
    return this.dueAt - this.clock();
  }

  /** Note that the server refused a token: `get` will not give it again. */
  reject(accessToken: string): void {
    this.rejected = accessToken;
  }

  /**
   * An access token for the next call. Throws UNAUTHENTICATED if there is no session any more,
   * and UNAVAILABLE if the server can't be reached and the old token has ended.
   */
  async get(): Promise<string> {
    if (this.tokens && this.usableForMs > 0) return this.tokens.accessToken;
    try {
      return (await this.renewed()).accessToken;
    } catch (thrown) {
      const error = errorOf(thrown);
      if (error.isAway && this.tokens && this.works(this.tokens)) return this.tokens.accessToken;
      throw error;
    }
  }

  private renewed(): Promise<Tokens> {
    this.flight ??= this.store
      .locked(() => this.renew())
      .finally(() => {
        this.flight = undefined;
      });
    return this.flight;
  }

  private async renew(): Promise<Tokens> {
    const kept = (await this.store.load()) ?? this.tokens;
    if (kept && kept.accessToken !== this.tokens?.accessToken && this.works(kept)) {
      this.keep(kept); // somebody else was quicker
      return kept;
    }
    if (!kept?.refreshToken) throw new AntiphonError(Code.Unauthenticated, "not signed in");
    try {
      const next = tokensOf(await this.refresh(kept.refreshToken), this.clock);
      this.take(next);
      return next;
    } catch (thrown) {
      const error = errorOf(thrown);
      if (error.code === Code.Unauthenticated) {
        this.take(undefined);
        this.onSignedOut(error);
      }
      throw error;
    }
  }

  private works(tokens: Tokens): boolean {
    return tokens.accessToken !== this.rejected && tokens.accessExpiresAt > this.clock();
  }

  private keep(tokens: Tokens | undefined): void {
    this.tokens = tokens;
    const left = (tokens?.accessExpiresAt ?? 0) - this.clock();
    this.dueAt = (tokens?.accessExpiresAt ?? 0) - Math.min(MARGIN_MS, left * MARGIN_SHARE);
  }
}
