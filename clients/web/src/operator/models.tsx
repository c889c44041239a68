// The models: what they take and cost, whether they are asked, and how they failed last.

import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { listed } from "../antiphon";
import { PartKind } from "../gen/antiphon/context/v1/message_pb";
import { BreakerState, type Model } from "../gen/antiphon/integration/v1/model_pb";
import type { Desk } from "../page/desk";
import { Notice } from "../page/parts";
import { visible } from "../page/visible";
import { duration, moment, money, sentenceOf } from "../page/words";
import { failureOf } from "./failure";
import { useLoaded } from "../page/loading";
import { State, Table, wordOf } from "../page/table";

/** All models, as the server that answers has them; operators have them asked, or not. */
export function Models({ desk }: { desk: Desk }): JSX.Element {
  const { integration } = desk.session.stubs;
  const [error, setError] = useState("");
  const models = useLoaded(() => read(desk), [], 5_000);
  const set = (model: Model, breaker: BreakerState) => async () => {
    setError("");
    await integration
      .setModelBreaker({ model: model.name, breaker })
      .catch((thrown) => setError(sentenceOf(thrown)));
    models.reload();
  };
  return (
    <>
      {error && <Notice text={error} />}
      <Table
        label="Models"
        rows={models.value}
        error={models.error}
        keyOf={(model) => model.name}
        columns={[
          { name: "name", cell: (model) => `${model.name}${model.default ? " (default)" : ""}` },
          { name: "state", cell: (model) => <Asked model={model} /> },
          { name: "since", cell: since, isNumber: true },
          { name: "takes", cell: takes },
          { name: "tokens at most", cell: (model) => (model.contextTokens ? model.contextTokens.toLocaleString() : "unknown"), isNumber: true },
          { name: "a million tokens, in and out", cell: prices, isNumber: true },
          { name: "last failure", cell: (model) => <LastFailure model={model} /> },
          {
            name: "",
            cell: (model) => {
              const isAsked = model.breaker === BreakerState.CLOSED;
              const wanted = isAsked ? BreakerState.OPEN : BreakerState.CLOSED;
              return (
                <button type="button" class="small" onClick={set(model, wanted)} aria-label={`${isAsked ? "Stop asking" : "Ask again"}: ${model.name}`}>
                  {isAsked ? "Stop asking" : "Ask again"}
                </button>
              );
            },
          },
        ]}
      />
    </>
  );
}

function Asked({ model }: { model: Model }): JSX.Element {
  if (model.missing) return <State name={`disabled: ${model.missing}`} />;
  if (model.breakerByHand) return <State name="not asked, by an operator" isWished />;
  switch (model.breaker) {
    case BreakerState.OPEN:
      return <State name={`left alone${model.retryAfter ? ` for ${duration(durationMs(model.retryAfter))}` : ""}`} />;
    case BreakerState.HALF_OPEN:
      return <State name="left alone, but for one call" />;
    default:
      return <State name="asked" />;
  }
}

/** How long it has not been asked. */
function since({ breaker, breakerSinceTime }: Model): string {
  if (breaker === BreakerState.CLOSED || !breakerSinceTime) return "";
  return duration(Date.now() - timestampMs(breakerSinceTime));
}

function takes({ accepts, takesTools }: Model): string {
  return [...accepts.map((kind) => wordOf(PartKind, kind)), ...(takesTools ? ["tools"] : [])].join(", ");
}

function prices({ inputPrice, outputPrice }: Model): string {
  if (!inputPrice || !outputPrice) return "unknown";
  if (!inputPrice.micros && !outputPrice.micros) return "free";
  return [inputPrice, outputPrice].map((price) => money(price.micros, price.currency)).join(", ");
}

function LastFailure({ model: { lastFailure } }: { model: Model }): JSX.Element | null {
  if (!lastFailure) return null;
  return (
    <>
      {lastFailure.time && moment(timestampMs(lastFailure.time))} <code>{visible(failureOf(lastFailure))}</code>
    </>
  );
}

function read(desk: Desk): Promise<Model[]> {
  return listed(
    (pageToken) => desk.session.stubs.integration.listModels({ pageToken }),
    (page) => page.models,
    200,
  );
}
