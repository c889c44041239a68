// Some webhooks, and making one.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { newWebhookId } from "../../antiphon";
import type { Webhook } from "../../gen/antiphon/dispatcher/v1/webhook_pb";
import type { Desk } from "../desk";
import { ConfirmDialog } from "../dialogs";
import { useLoaded } from "../loading";
import { Icon, Notice, Spinner } from "../parts";
import { visible } from "../visible";
import { CHANGED, WebhookDialog } from "./dialog";
import { One } from "./one";
import { SecretDialog } from "./secret";

const AGAIN_MS = 10_000;

type Window = { put: Webhook | "new" } | { remove: Webhook } | { secret: string; url: string };

/** Of a workspace, or without one one's own. */
export function Webhooks({ desk, workspaceId }: { desk: Desk; workspaceId: string }): JSX.Element {
  const { webhooks } = desk.session.stubs;
  const read = async () => (await webhooks.listWebhooks({ workspaceId })).webhooks;
  const { value, error, reload } = useLoaded(read, [workspaceId], AGAIN_MS);
  const [dialog, open] = useState<Window>();
  const close = () => open(undefined);
  const put = async (webhook: Webhook) => {
    if (dialog && "put" in dialog && dialog.put !== "new") {
      await webhooks.updateWebhook({ workspaceId, webhook, updateMask: { paths: CHANGED }, etag: webhook.etag });
      close();
    } else {
      const { secret } = await webhooks.createWebhook({ workspaceId, webhook: { ...webhook, webhookId: newWebhookId() } });
      open({ secret, url: webhook.url });
    }
    reload();
  };
  const renew = async ({ webhookId, url }: Webhook) => {
    const { secret } = await webhooks.rotateWebhookSecret({ workspaceId, webhookId });
    open({ secret, url });
    reload();
  };
  return (
    <section>
      <div class="bar">
        <h2 class="grow">Webhooks</h2>
        <button type="button" class="small" onClick={() => open({ put: "new" })}>
          <Icon name="plus" /> New webhook
        </button>
      </div>
      {error && <Notice text={error} />}
      {!value && !error && <Spinner label="Loading" />}
      {value?.length === 0 && <p class="quiet">There are none.</p>}
      <ul class="queue">
        {value?.map((each) => (
          <li key={each.webhookId}>
            <One
              desk={desk}
              workspaceId={workspaceId}
              webhook={each}
              onChange={reload}
              onPut={() => open({ put: each })}
              onRenew={() => renew(each)}
              onRemove={() => open({ remove: each })}
            />
          </li>
        ))}
      </ul>
      {dialog && "put" in dialog && <WebhookDialog webhook={dialog.put === "new" ? undefined : dialog.put} onPut={put} onClose={close} />}
      {dialog && "secret" in dialog && <SecretDialog {...dialog} onClose={close} />}
      {dialog && "remove" in dialog && (
        <ConfirmDialog
          title={`Delete ${visible(dialog.remove.url)}?`}
          text="It is told nothing any more, and what was posted to it is listed no more."
          button="Delete"
          onConfirm={async () => {
            await webhooks.deleteWebhook({ workspaceId, webhookId: dialog.remove.webhookId });
            reload();
          }}
          onClose={close}
        />
      )}
    </section>
  );
}
