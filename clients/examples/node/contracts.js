// The contracts, read from proto/ when the program starts: nothing is generated.
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const DEFINITIONS = loadSync(
  [
    "antiphon/auth/v1/auth_service.proto",
    "antiphon/context/v1/context_service.proto",
    "antiphon/dispatcher/v1/dispatcher_service.proto",
    "antiphon/dispatcher/v1/worker_service.proto",
    "google/rpc/error_details.proto",
  ],
  {
    includeDirs: [fileURLToPath(new URL("../../../proto", import.meta.url))],
    longs: Number, // offsets stay far below 2^53
    enums: String,
    defaults: true,
    oneofs: true, // message.frame names the field that is set
  },
);

export const { antiphon } = grpc.loadPackageDefinition(DEFINITIONS);

/** For a service config: what the contracts say may be repeated. Changes need their request id for that. */
export const REPEATABLE = Object.entries(DEFINITIONS).flatMap(([service, methods]) =>
  Object.entries(methods)
    .filter(([, { path, options, requestStream, responseStream }]) =>
      path && !requestStream && !responseStream && options.idempotency_level !== "IDEMPOTENCY_UNKNOWN",
    )
    .map(([method]) => ({ service, method })),
);

const decode = (type, bytes) => DEFINITIONS[type].deserialize(bytes);

/** The google.rpc.ErrorInfo's reason of a google.rpc.Status, such as "DRAINING"; "" without one. */
export function reasonOf(status) {
  const info = status?.details.find((any) => any.type_url?.endsWith("/google.rpc.ErrorInfo"));
  return info ? decode("google.rpc.ErrorInfo", info.value).reason : "";
}

/** A call or stream that failed, told apart by gRPC's code and by Antiphon's reason. */
export class Failure extends Error {
  constructor(code, message, reason = "") {
    super(`${reason || grpc.status[code]}: ${message}`);
    this.code = code;
    this.reason = reason;
  }

  /** Of what @grpc/grpc-js throws: the reason travels in the trailers. Other errors stay what they are. */
  static of(error) {
    if (!error.metadata) return error;
    const [bytes] = error.metadata.get("grpc-status-details-bin");
    return new Failure(error.code, error.details, bytes && reasonOf(decode("google.rpc.Status", bytes)));
  }

  /** From a status inside a message. */
  static ofStatus(status, otherwise) {
    if (!status) return otherwise;
    return new Failure(status.code, status.message, reasonOf(status));
  }
}
