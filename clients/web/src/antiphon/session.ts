// Signing in, and the session that comes of it.

import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import type { User } from "../gen/antiphon/auth/v1/auth_pb";
import {
  type ListLoginMethodsResponse,
  LoginRequestSchema,
} from "../gen/antiphon/auth/v1/auth_service_pb";
import { sleep } from "./backoff";
import { type ChannelOptions, type Stubs, openStubs, signedStubs } from "./channel";
import { AntiphonError, errorOf, milliseconds } from "./errors";
import { Follower } from "./follower";
import type { Connection } from "./redial";
import { Thread, type ThreadOptions } from "./thread";
import { MemoryTokenStore, TokenSource, type TokenStore, type Tokens, tokensOf } from "./tokens";

const PENDING = new Set(["AUTHORIZATION_PENDING", "SLOW_DOWN", "RATE_LIMITED"]);

type Credential = NonNullable<MessageInitShape<typeof LoginRequestSchema>["credential"]>;

/** A login at an identity provider that has begun. */
export interface ProviderLogin {
  loginId: string;
  loginSecret: string;
  state: string;
}

/** A device's code, to be shown. */
export interface DeviceCode {
  userCode: string;
  deviceCode: string;
  intervalMs: number;
  expiresAt: number;
}

/** What a session tells. */
export interface SessionListener {
  /** How the stream's connection is. */
  connection?(connection: Connection): void;
  /** The session is over; whoever wants to go on signs in again. */
  signedOut?(error: AntiphonError): void;
}

/** A connection to one server: sign in, then call and follow. Errors are AntiphonErrors. */
export class Session {
  readonly open: Stubs;
  readonly stubs: Stubs;
  readonly tokens: TokenSource;
  readonly follower: Follower;
  user: User | undefined;

  constructor(
    options: ChannelOptions,
    private readonly device: string,
    store: TokenStore = new MemoryTokenStore(),
    listener: SessionListener = {},
    silenceMs?: number,
  ) {
    this.open = openStubs(options);
    const refresh = async (refreshToken: string) => {
      const { tokens } = await this.open.auth.refresh({ refreshToken });
      if (!tokens) throw new AntiphonError(Code.Internal, "the server sent no tokens");
      return tokens;
    };
    this.tokens = new TokenSource(refresh, store, (error) => listener.signedOut?.(error));
    this.stubs = signedStubs(options, this.tokens);
    this.follower = new Follower(
      this.open,
      this.stubs,
      this.tokens,
      (connection) => {
        if (connection.error?.code === Code.Unauthenticated && connection.state === "ended") {
          listener.signedOut?.(connection.error);
        }
        listener.connection?.(connection);
      },
      silenceMs,
    );
  }

  /** The caller as logs name them. */
  get actor(): string {
    return `users/${this.user?.userId ?? ""}`;
  }

  /** Go on with a session whose tokens are kept. Throws if there is none any more. */
  async resume(): Promise<User> {
    return this.identified();
  }

  /** How one can sign in here. */
  methods(): Promise<ListLoginMethodsResponse> {
    return this.open.auth.listLoginMethods({});
  }

  /** Sign in with a name and a password. */
  async logInByPassword(name: string, password: string): Promise<User> {
    return this.logIn({ case: "password", value: { name, password } });
  }

  /** Sign in with tokens that were come by otherwise. */
  async logInByTokens(tokens: Tokens): Promise<User> {
    this.tokens.take(tokens);
    return this.identified();
  }

  /** Begin to sign in at an identity provider; go to `url`, and come back to finish. */
  async startProviderLogin(
    provider: string,
    redirectUri: string,
  ): Promise<{ url: string; login: ProviderLogin }> {
    const started = await this.open.auth.startLogin({ provider, redirectUri });
    const url = new URL(started.authorizationUrl);
    const isLoopback = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
    if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback)) {
      throw new AntiphonError(Code.FailedPrecondition, "the provider's page is not https");
    }
    const state = url.searchParams.get("state") ?? "";
    const { loginId, loginSecret } = started;
    return { url: url.href, login: { loginId, loginSecret, state } };
  }

  /** End it with what the provider's redirect brought. */
  async finishProviderLogin(login: ProviderLogin, redirect: URLSearchParams): Promise<User> {
    const denied = redirect.get("error");
    if (denied) {
      const told = redirect.get("error_description") || denied;
      throw new AntiphonError(Code.PermissionDenied, told, { reason: "LOGIN_DENIED" });
    }
    const { loginId, loginSecret } = login;
    const code = redirect.get("code") ?? "";
    const state = redirect.get("state") ?? "";
    const issuer = redirect.get("iss") ?? "";
    const value = { loginId, loginSecret, code, state, issuer };
    return this.logIn({ case: "authorizationCode", value });
  }

  /** Ask to be let in by somebody who is signed in elsewhere. */
  async startDeviceLogin(): Promise<DeviceCode> {
    const started = await this.open.auth.startDeviceLogin({ device: this.device });
    return {
      userCode: started.userCode,
      deviceCode: started.deviceCode,
      intervalMs: milliseconds(started.interval) ?? 5_000,
      expiresAt: started.expireTime ? timestampMs(started.expireTime) : Infinity,
    };
  }

  /** Wait until one is let in. Throws LOGIN_DENIED, LOGIN_EXPIRED. */
  async finishDeviceLogin(code: DeviceCode, signal?: AbortSignal): Promise<User> {
    let pauseMs = code.intervalMs;
    for (;;) {
      await sleep(pauseMs, signal);
      if (signal?.aborted) throw new AntiphonError(Code.Canceled, "given up");
      try {
        return await this.logIn({ case: "deviceCode", value: { deviceCode: code.deviceCode } });
      } catch (thrown) {
        const error = errorOf(thrown);
        const waits = PENDING.has(error.reason) || (error.isAway && Date.now() < code.expiresAt);
        if (!waits) throw error;
        pauseMs = Math.max(code.intervalMs, error.retryAfterMs ?? 0);
      }
    }
  }

  /** Set a password with a token that an operator made. */
  async resetPassword(resetToken: string, newPassword: string): Promise<void> {
    await this.open.auth.resetPassword({ resetToken, newPassword });
  }

  /** End the session, if the server can be reached, and forget it here in any case. */
  async logOut(): Promise<void> {
    this.follower.close();
    try {
      await this.stubs.auth.logout({}, { timeoutMs: 2_000 });
    } catch {
      // it ends by itself when it is not refreshed
    }
    this.tokens.take(undefined);
  }

  /** A conversation to read and to take part in. */
  thread(conversationId: string, options?: ThreadOptions): Thread {
    return new Thread(conversationId, this.stubs, this.follower, this.actor, options);
  }

  private async logIn(credential: Credential): Promise<User> {
    const request = create(LoginRequestSchema, { credential, device: this.device });
    const answer = await this.open.auth.login(request);
    if (!answer.tokens) throw new AntiphonError(Code.Internal, "the server sent no tokens");
    this.tokens.take(tokensOf(answer.tokens));
    return this.identified();
  }

  private async identified(): Promise<User> {
    const { user } = await this.stubs.auth.whoAmI({});
    if (!user) throw new AntiphonError(Code.Internal, "the server does not say who this is");
    this.user = user;
    return user;
  }
}
