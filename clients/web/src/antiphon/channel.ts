// Calls over grpc-web: with a token, a deadline, retries where they are safe, and typed errors.

import { type Message, clone } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Level } from "@bufbuild/protobuf/wkt";
import {
  type Client as Stub,
  Code,
  type Interceptor,
  type Transport,
  createClient,
} from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { AccessService } from "../gen/antiphon/auth/v1/access_service_pb";
import { AuditService } from "../gen/antiphon/auth/v1/audit_service_pb";
import { AuthService } from "../gen/antiphon/auth/v1/auth_service_pb";
import { ProfileService } from "../gen/antiphon/auth/v1/profile_service_pb";
import { AnomalyService } from "../gen/antiphon/context/v1/anomaly_service_pb";
import { ContextService } from "../gen/antiphon/context/v1/context_service_pb";
import { ErasureService } from "../gen/antiphon/context/v1/erasure_service_pb";
import { FilterService } from "../gen/antiphon/context/v1/filter_service_pb";
import { NoticeService } from "../gen/antiphon/context/v1/notice_service_pb";
import { DispatcherService } from "../gen/antiphon/dispatcher/v1/dispatcher_service_pb";
import { HandoffService } from "../gen/antiphon/dispatcher/v1/handoff_service_pb";
import { RouteService } from "../gen/antiphon/dispatcher/v1/route_service_pb";
import { ScheduleService } from "../gen/antiphon/dispatcher/v1/schedule_service_pb";
import { WebhookService } from "../gen/antiphon/dispatcher/v1/webhook_service_pb";
import { WorkerService } from "../gen/antiphon/dispatcher/v1/worker_service_pb";
import { EventService } from "../gen/antiphon/events/v1/event_service_pb";
import { BudgetService } from "../gen/antiphon/integration/v1/budget_service_pb";
import { ConnectionService } from "../gen/antiphon/integration/v1/connection_service_pb";
import { IntegrationService } from "../gen/antiphon/integration/v1/integration_service_pb";
import { ToolService } from "../gen/antiphon/integration/v1/tool_service_pb";
import { WhiteboardService } from "../gen/antiphon/memory/v1/whiteboard_service_pb";
import { MemoryService } from "../gen/antiphon/memory/v1/memory_service_pb";
import { SearchService } from "../gen/antiphon/memory/v1/search_service_pb";
import { sleep } from "./backoff";
import { errorOf } from "./errors";
import { newRequestId } from "./ids";
import type { TokenSource } from "./tokens";

const DEADLINE_MS = 30_000;
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 100;
const MOST_PAUSE_MS = 2_000;

/** The services, each as its generated stub. */
export interface Stubs {
  access: Stub<typeof AccessService>;
  anomalies: Stub<typeof AnomalyService>;
  auth: Stub<typeof AuthService>;
  audit: Stub<typeof AuditService>;
  budgets: Stub<typeof BudgetService>;
  connections: Stub<typeof ConnectionService>;
  context: Stub<typeof ContextService>;
  dispatcher: Stub<typeof DispatcherService>;
  erasures: Stub<typeof ErasureService>;
  events: Stub<typeof EventService>;
  filters: Stub<typeof FilterService>;
  handoffs: Stub<typeof HandoffService>;
  integration: Stub<typeof IntegrationService>;
  notices: Stub<typeof NoticeService>;
  profiles: Stub<typeof ProfileService>;
  routes: Stub<typeof RouteService>;
  schedules: Stub<typeof ScheduleService>;
  memories: Stub<typeof MemoryService>;
  whiteboards: Stub<typeof WhiteboardService>;
  search: Stub<typeof SearchService>;
  tools: Stub<typeof ToolService>;
  webhooks: Stub<typeof WebhookService>;
  workers: Stub<typeof WorkerService>;
}

/** Where the server is, and for tests how to fetch. */
export interface ChannelOptions {
  baseUrl: string;
  fetch?: typeof globalThis.fetch;
}

/** Stubs for calls without a token, or whose caller gives one by hand. */
export function openStubs(options: ChannelOptions): Stubs {
  return stubsOn(transport(options, [retrying]));
}

/** Stubs for calls in the name of the session. */
export function signedStubs(options: ChannelOptions, tokens: TokenSource): Stubs {
  return stubsOn(transport(options, [retrying, authorizing(tokens)]));
}

function transport(options: ChannelOptions, interceptors: Interceptor[]): Transport {
  return createGrpcWebTransport({
    ...options,
    interceptors: [typing, naming, ...interceptors],
    defaultTimeoutMs: DEADLINE_MS,
  });
}

function stubsOn(wire: Transport): Stubs {
  return {
    access: createClient(AccessService, wire),
    anomalies: createClient(AnomalyService, wire),
    auth: createClient(AuthService, wire),
    audit: createClient(AuditService, wire),
    budgets: createClient(BudgetService, wire),
    connections: createClient(ConnectionService, wire),
    context: createClient(ContextService, wire),
    dispatcher: createClient(DispatcherService, wire),
    erasures: createClient(ErasureService, wire),
    events: createClient(EventService, wire),
    filters: createClient(FilterService, wire),
    handoffs: createClient(HandoffService, wire),
    integration: createClient(IntegrationService, wire),
    notices: createClient(NoticeService, wire),
    profiles: createClient(ProfileService, wire),
    routes: createClient(RouteService, wire),
    schedules: createClient(ScheduleService, wire),
    memories: createClient(MemoryService, wire),
    whiteboards: createClient(WhiteboardService, wire),
    search: createClient(SearchService, wire),
    tools: createClient(ToolService, wire),
    webhooks: createClient(WebhookService, wire),
    workers: createClient(WorkerService, wire),
  };
}

/** What is thrown is an AntiphonError; streams' errors come while they are read. */
const typing: Interceptor = (next) => async (request) => {
  try {
    return await next(request);
  } catch (thrown) {
    throw errorOf(thrown);
  }
};

/** Gives a change a request id where it lacks one, by which its repetition is known. */
const naming: Interceptor = (next) => (request) => {
  if (request.stream || !request.method.input.field["requestId"]) return next(request);
  const message = clone(request.method.input, request.message) as Message & { requestId: string };
  message.requestId ||= newRequestId();
  return next({ ...request, message });
};

/** Repeats what the contract says may be sent twice, while the server can't be reached. */
const retrying: Interceptor = (next) => async (request) => {
  const repeatable = !request.stream && request.method.idempotency !== Level.IDEMPOTENCY_UNKNOWN;
  const attempts = repeatable ? ATTEMPTS : 1;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await next(request);
    } catch (thrown) {
      const error = errorOf(thrown);
      const again = error.isAway && attempt < attempts && !request.signal.aborted;
      if (!again) throw error;
      const ceiling = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), MOST_PAUSE_MS);
      const pause = ceiling * (0.5 + Math.random() / 2) + (error.retryAfterMs ?? 0);
      await sleep(pause, request.signal);
    }
  }
};

/** Sends the session's token, and once more with a new one if it is refused. */
function authorizing(tokens: TokenSource): Interceptor {
  return (next) => async (request) => {
    const token = await tokens.get();
    request.header.set("authorization", `Bearer ${token}`);
    try {
      return await next(request);
    } catch (thrown) {
      const error = errorOf(thrown);
      if (error.code !== Code.Unauthenticated || !error.isOfToken) throw error;
      tokens.reject(token);
    }
    request.header.set("authorization", `Bearer ${await tokens.get()}`);
    return next(request);
  };
}
