// What can go wrong, told apart by code and reason.
//
// They are Connect's own kind of error, which it passes on as they are.

import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../gen/google/rpc/error_details_pb";
import type { Status } from "../gen/google/rpc/status_pb";

const DOMAIN = "antiphon";
const OF_TOKEN = new Set(["TOKEN_INVALID", "TOKEN_EXPIRED", "SESSION_REVOKED"]);
const RESUMABLE_REASONS = new Set([
  "OVERLOADED",
  "DRAINING",
  "RATE_LIMITED",
  "SERVICE_UNAVAILABLE",
  "STORE_UNAVAILABLE",
]);
// What a server that is there can't reach.
const AWAY_BEHIND_IT = new Set(["PROVIDER_UNAVAILABLE", "FILTER_UNAVAILABLE"]);
// What the transport says, in its own words, when a connection breaks.
const RESUMABLE_CODES = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.Canceled,
  Code.Internal,
  Code.Unknown,
]);

/** Facts about a failure, beside its code and message. */
export interface ErrorFacts {
  reason?: string;
  variables?: Record<string, string>;
  retryAfterMs?: number | undefined;
  violations?: Record<string, string>;
}

/**
 * A call or stream failed. `reason` is the name of an `antiphon.errors.v1.ErrorReason` without
 * its prefix, empty where the server said none (it was not reached, for one). `variables` are
 * the reason's, `violations` the fields that break a rule and how, `retryAfterMs` when
 * the server suggests to try again.
 */
export class AntiphonError extends ConnectError {
  readonly reason: string;
  readonly variables: Record<string, string>;
  readonly retryAfterMs: number | undefined;
  /** When that is, by this machine's clock; 0 where the server says nothing of it. */
  readonly retryAtMs: number;
  readonly violations: Record<string, string>;

  constructor(code: Code, message: string, facts: ErrorFacts = {}) {
    super(message, code);
    this.reason = facts.reason ?? "";
    this.variables = facts.variables ?? {};
    this.retryAfterMs = facts.retryAfterMs;
    this.retryAtMs = facts.retryAfterMs === undefined ? 0 : Date.now() + facts.retryAfterMs;
    this.violations = facts.violations ?? {};
  }

  /** Connect tells its errors by their fields, and by a name that stays as it is. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && this.prototype.isPrototypeOf(value);
  }

  /** Whether the access token is what was refused: with another one it may work. */
  get isOfToken(): boolean {
    return this.code === Code.Unauthenticated && OF_TOKEN.has(this.reason);
  }

  /**
   * Whether the server can't be reached now; the call may be repeated. An identity provider that is
   * away is none: whoever signs in is to be told of it, not to wait. Nor is a filter that can't look.
   */
  get isAway(): boolean {
    return this.code === Code.Unavailable && !AWAY_BEHIND_IT.has(this.reason);
  }

  /** Whether a filter refuses what was said: only something else can be said instead. */
  get isRefusal(): boolean {
    return this.reason === "CONTENT_BLOCKED";
  }

  /** Whether the log's events after a cursor are gone: `variables.earliest_cursor` goes on. */
  get isHistoryLost(): boolean {
    return this.reason === "CURSOR_TRIMMED" || this.reason === "EPOCH_CHANGED";
  }

  /** Whether the same stream may be opened again. */
  get isResumable(): boolean {
    return this.reason ? RESUMABLE_REASONS.has(this.reason) : RESUMABLE_CODES.has(this.code);
  }
}

/** An event is missing from a stream: a defect that no one may overlook. */
export class GapError extends AntiphonError {
  constructor(scope: string, expected: bigint, found: bigint) {
    super(
      Code.DataLoss,
      `${scope}: expected the event at offset ${expected}, got the one at ${found}`,
      {
        reason: "GAP",
        variables: { scope, expected_offset: `${expected}`, found_offset: `${found}` },
      },
    );
  }
}

/** The stream broke without a word from the server. */
export function connectionLost(message: string, retryAfterMs?: number): AntiphonError {
  return new AntiphonError(Code.Unavailable, message, { retryAfterMs });
}

/** The error for whatever a call threw. */
export function errorOf(thrown: unknown): AntiphonError {
  if (thrown instanceof AntiphonError) return thrown;
  const error = ConnectError.from(thrown);
  const info = error.findDetails(ErrorInfoSchema).find((each) => each.domain === DOMAIN);
  // What fetch says where there is no connection, and Connect what it can't read.
  const unreached = !info && (error.cause instanceof TypeError || thrown instanceof TypeError);
  return new AntiphonError(unreached ? Code.Unavailable : error.code, error.rawMessage, {
    reason: info?.reason ?? "",
    variables: info?.metadata ?? {},
    retryAfterMs: milliseconds(error.findDetails(RetryInfoSchema)[0]?.retryDelay),
    violations: violationsOf(error.findDetails(BadRequestSchema)[0]?.fieldViolations),
  });
}

/** The error for a status inside a message: a turn's or a watch's. */
export function errorOfStatus(status: Status): AntiphonError {
  const facts: ErrorFacts = {};
  for (const detail of status.details) {
    const info = anyUnpack(detail, ErrorInfoSchema);
    if (info?.domain === DOMAIN) {
      facts.reason = info.reason;
      facts.variables = info.metadata;
    }
    const retry = anyUnpack(detail, RetryInfoSchema);
    if (retry) facts.retryAfterMs = milliseconds(retry.retryDelay);
    const bad = anyUnpack(detail, BadRequestSchema);
    if (bad) facts.violations = violationsOf(bad.fieldViolations);
  }
  return new AntiphonError(status.code as Code, status.message, facts);
}

/** A duration in milliseconds. */
export function milliseconds(
  duration: { seconds: bigint; nanos: number } | undefined,
): number | undefined {
  return duration && Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}

function violationsOf(
  found: { field: string; description: string }[] = [],
): Record<string, string> {
  return Object.fromEntries(found.map((each) => [each.field, each.description]));
}
