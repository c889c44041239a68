// Why a call of a model failed, as operators are told.

import type { ModelCall, ModelFailure } from "../gen/antiphon/integration/v1/model_pb";

/** The reason, and what the provider said of it: its HTTP status and words, where there were any. */
export function failureOf({ errorReason, providerStatus, providerMessage }: ModelCall | ModelFailure): string {
  const status = providerStatus ? `HTTP ${providerStatus}` : "";
  return [errorReason, status, providerMessage].filter(Boolean).join(" · ");
}
