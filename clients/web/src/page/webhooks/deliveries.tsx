// What was posted to a webhook, and what is to be.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Delivery, DeliveryState, type Webhook } from "../../gen/antiphon/dispatcher/v1/webhook_pb";
import type { Desk } from "../desk";
import { More, usePaged } from "../paging";
import { Notice } from "../parts";
import { State, Table } from "../table";
import { visible } from "../visible";
import { moment, sentenceOf } from "../words";
import { cameBack, standing, whatOf } from "./words";

const AGAIN_MS = 3_000;

/** The newest first, as they are kept for 7 days. */
export function Deliveries(props: { desk: Desk; workspaceId: string; webhook: Webhook }): JSX.Element {
  const { webhooks } = props.desk.session.stubs;
  const { workspaceId, webhook } = props;
  const { webhookId } = webhook;
  const read = (page: object) => webhooks.listDeliveries({ workspaceId, webhookId, ...page });
  const { value, error, reload, more } = usePaged(read, (page) => page.deliveries, [webhookId], AGAIN_MS);
  const [failure, setFailure] = useState("");
  const again = async (notificationId: string) => {
    const failed = (thrown: unknown) => setFailure(sentenceOf(thrown));
    setFailure("");
    await webhooks.redeliver({ workspaceId, webhookId, notificationId }).catch(failed);
    reload();
  };
  return (
    <>
      {failure && <Notice text={failure} />}
      <Table
        label={`Deliveries to ${visible(webhook.url)}`}
        isStacked
        rows={value}
        error={error}
        keyOf={({ notificationId }) => notificationId}
        empty="There are none: nothing has happened that it is told of."
        columns={[
          { name: "state", cell: (each) => <State name={standing(each)} /> },
          { name: "of", cell: (each) => <Of delivery={each} /> },
          { name: "newest try", cell: (each) => <Newest delivery={each} /> },
          { name: "tries", cell: (each) => each.attempts.toLocaleString(), isNumber: true },
          { name: "since", cell: (each) => each.createTime && moment(timestampMs(each.createTime)) },
          { name: "", cell: (each) => <Again delivery={each} onAgain={again} /> },
        ]}
      />
      <More more={more} />
    </>
  );
}

/** What is told; it leads to the conversation, for who may see that. */
function Of({ delivery }: { delivery: Delivery }): JSX.Element {
  const where = delivery.message?.data?.conversationId;
  if (!where) return <>{whatOf(delivery)}</>;
  return (
    <a href={`/#/c/${where}`} class="title">
      {whatOf(delivery)}
    </a>
  );
}

function Newest({ delivery }: { delivery: Delivery }): JSX.Element {
  const { nextAttemptTime: next } = delivery;
  return (
    <>
      <span class="title">{cameBack(delivery)}</span>
      {next && delivery.attempts > 0 && <span class="quiet title">next {moment(timestampMs(next))}</span>}
    </>
  );
}

function Again({ delivery, onAgain }: { delivery: Delivery; onAgain: (id: string) => Promise<void> }): JSX.Element | null {
  const { state, attempts, notificationId } = delivery;
  if (state === DeliveryState.WAITING && !attempts) return null;
  return (
    <button type="button" class="small" aria-label={`Post ${notificationId} again`} onClick={() => void onAgain(notificationId)}>
      Post again
    </button>
  );
}
