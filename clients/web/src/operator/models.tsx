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
import { duration, moment, sentenceOf } from "../page/words";
import { failureOf } from "./failure";
import { Prices } from "./prices";
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
        isStacked
        rows={models.value}
        error={models.error}
        keyOf={(model) => model.name}
        columns={[
          { name: "model", cell: (model) => <Named model={model} /> },
          { name: "state", cell: (model) => <Asked model={model} /> },
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
          { name: "price of a million tokens", cell: (model) => <Prices model={model} /> },
          { name: "last failure", cell: (model) => <LastFailure model={model} /> },
        ]}
      />
    </>
  );
}

/** Its name, and below it what it takes. */
function Named({ model }: { model: Model }): JSX.Element {
  const room = model.contextTokens ? `${model.contextTokens.toLocaleString()} tokens` : "";
  return (
    <>
      {visible(model.name)}
      {model.default && <span class="tag">default</span>}
      <span class="quiet below">{[takes(model), room].filter(Boolean).join(" · ")}</span>
    </>
  );
}

/** Whether it is asked; if not, below it since when, and when it is tried again. */
function Asked({ model }: { model: Model }): JSX.Element {
  const again = model.retryAfter && `tried again in ${duration(durationMs(model.retryAfter))}`;
  const told = [since(model), again].filter(Boolean).join(", ");
  return (
    <>
      <Pill model={model} />
      {told && <span class="quiet below">{told}</span>}
    </>
  );
}

function Pill({ model }: { model: Model }): JSX.Element {
  if (model.missing) return <State name={`disabled: ${model.missing}`} />;
  if (model.breakerByHand) return <State name="not asked, by an operator" isWished />;
  switch (model.breaker) {
    case BreakerState.OPEN:
      return <State name="left alone" />;
    case BreakerState.HALF_OPEN:
      return <State name="left alone, but for one call" />;
    default:
      return <State name="asked" />;
  }
}

/** Since when it is not asked. */
function since({ breaker, breakerSinceTime }: Model): string {
  if (breaker === BreakerState.CLOSED || !breakerSinceTime) return "";
  return `since ${moment(timestampMs(breakerSinceTime))}`;
}

function takes({ accepts, takesTools }: Model): string {
  return [...accepts.map((kind) => wordOf(PartKind, kind)), ...(takesTools ? ["tools"] : [])].join(", ");
}

function LastFailure({ model: { lastFailure } }: { model: Model }): JSX.Element | null {
  if (!lastFailure) return null;
  return (
    <span class="failure">
      {lastFailure.time && moment(timestampMs(lastFailure.time))} <code>{visible(failureOf(lastFailure))}</code>
    </span>
  );
}

function read(desk: Desk): Promise<Model[]> {
  return listed(
    (pageToken) => desk.session.stubs.integration.listModels({ pageToken }),
    (page) => page.models,
    200,
  );
}
