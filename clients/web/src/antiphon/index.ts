// A client for Antiphon in browsers: calls with typed errors, and streams that outlive connections.

export { type CallState, type ToolCall, begunBy, stateOf } from "./calls";
export { type Field, type Question, type Reply, type Value } from "./questions";
export { ToolAnswerAction } from "../gen/antiphon/integration/v1/tool_pb";
export { Changing } from "./changing";
export { Company } from "./company";
export type { Removed } from "./cuts";
export { AntiphonError, GapError, errorOf, errorOfStatus, milliseconds } from "./errors";
export { Follower, type WatchListener, type Watching } from "./follower";
export { firstOf, newFollowId, newRequestId, newTurnId, newWebhookId } from "./ids";
export { listed, partly } from "./pages";
export type { WatchOptions } from "./place";
export type { Connection } from "./redial";
export { type ResultPart, keptPartOf } from "./results";
export { type DeviceCode, type ProviderLogin, Session } from "./session";
export { textOf } from "./text";
export { NOBODY, type Outgoing, type Wishes, isAnswered } from "./outbox";
export { type Reached, Thread, type ThreadOptions, isQueued } from "./thread";
export type { Child, Entry } from "./transcript";
export { MemoryTokenStore, type TokenStore, type Tokens, TokenSource, tokensOf } from "./tokens";
export { type Assigned, TurnView } from "./turn";
