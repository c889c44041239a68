// Who is calling: signs in, keeps a token that works, makes calls with it.
import { hostname } from "node:os";
import * as grpc from "@grpc/grpc-js";
import { antiphon, Failure, REPEATABLE } from "./contracts.js";

const CALL_MS = 10_000;
const STREAM_MS = 3_600_000;
// Renewed a minute before it expires; of a short-lived token, at half its life.
const MARGIN_MS = 60_000;

// UNAVAILABLE is retried, of calls whose second arrival changes nothing.
const SERVICE_CONFIG = {
  methodConfig: [
    {
      name: REPEATABLE,
      retryPolicy: {
        maxAttempts: 5,
        initialBackoff: "0.1s",
        maxBackoff: "2s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
  ],
};
// A connection whose other end has vanished is given up after 30 s.
const OPTIONS = {
  "grpc.service_config": JSON.stringify(SERVICE_CONFIG),
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
};

export class Session {
  #credential;
  #tokens;
  #renewAt = 0;

  /** `address` is host:port, or https://host:port for TLS; `credential` a credential of LoginRequest. */
  constructor(address, credential) {
    const credentials = address.startsWith("https://")
      ? grpc.credentials.createSsl()
      : grpc.credentials.createInsecure();
    const target = address.replace(/^https?:\/\//, "");
    this.#credential = credential;
    this.auth = new antiphon.auth.v1.AuthService(target, credentials, OPTIONS);
    // One connection for all services.
    const shared = { channelOverride: this.auth.getChannel() };
    this.context = new antiphon.context.v1.ContextService(target, credentials, shared);
    this.dispatcher = new antiphon.dispatcher.v1.DispatcherService(target, credentials, shared);
    this.worker = new antiphon.dispatcher.v1.WorkerService(target, credentials, shared);
  }

  /** Milliseconds until the token is to be renewed. */
  get renewIn() {
    return Math.max(this.#renewAt - Date.now(), 0);
  }

  /** An access token that works: by sign-in, or by refreshing the one before. */
  async token() {
    const { refreshToken } = this.#tokens ?? {};
    if (this.#tokens && this.renewIn > 0) return this.#tokens.accessToken;
    if (refreshToken) {
      await this.#take(unary(this.auth, "refresh", { refreshToken }));
    } else {
      // Also for programs: their sessions have no refresh token.
      const device = `node example on ${hostname()}`.slice(0, 128);
      await this.#take(unary(this.auth, "login", { ...this.#credential, device }));
    }
    return this.#tokens.accessToken;
  }

  /** The server does not accept the token any more: sign in again. */
  forget() {
    this.#tokens = undefined;
  }

  /** A unary call under this session. Throws Failure. */
  async call(client, method, request) {
    return unary(client, method, request, bearer(await this.token()));
  }

  /** A Converse stream under this session. */
  async converse() {
    return this.dispatcher.converse(bearer(await this.token()), { deadline: Date.now() + STREAM_MS });
  }

  /** A worker's stream, which stays open: another token is sent on it. */
  async work() {
    return this.worker.work(bearer(await this.token()));
  }

  close() {
    this.auth.close();
  }

  async #take(answer) {
    const { tokens } = await answer;
    const life = tokens.accessExpireTime.seconds * 1000 - Date.now();
    this.#renewAt = Date.now() + life - Math.min(MARGIN_MS, life / 2);
    this.#tokens = tokens;
  }
}

function bearer(token) {
  const metadata = new grpc.Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  return metadata;
}

function unary(client, method, request, metadata = new grpc.Metadata()) {
  return new Promise((resolve, reject) => {
    client[method](request, metadata, { deadline: Date.now() + CALL_MS }, (error, response) =>
      error ? reject(Failure.of(error)) : resolve(response),
    );
  });
}
