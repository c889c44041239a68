// A window: making a webhook, or changing one.

import { create } from "@bufbuild/protobuf";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Webhook, WebhookSchema } from "../../gen/antiphon/dispatcher/v1/webhook_pb";
import type { NotificationKind, TurnState } from "../../gen/antiphon/events/v1/event_pb";
import { Dialog, Notice } from "../parts";
import { sentenceOf } from "../words";
import { ENDS, TOLD } from "./words";

/** What is asked for here. */
export const CHANGED = ["url", "description", "kinds", "states", "handlers"];

/** Asks where to post, and what. */
export function WebhookDialog(props: {
  webhook: Webhook | undefined;
  onPut: (webhook: Webhook) => Promise<void>;
  onClose: () => void;
}): JSX.Element {
  const { webhook } = props;
  const [error, setError] = useState("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    try {
      await props.onPut(webhookOf(new FormData(event.currentTarget as HTMLFormElement), webhook));
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
  };
  return (
    <Dialog title={webhook ? "Change the webhook" : "New webhook"} onClose={props.onClose}>
      <form onSubmit={submit}>
        {error && <Notice text={error} />}
        <label>
          Address
          <input
            name="url"
            type="url"
            required
            minLength={10}
            maxLength={2048}
            pattern="https?://[^\s]+"
            title="It begins with https:// or http://"
            placeholder="https://hooks.example/antiphon"
            defaultValue={webhook?.url ?? ""}
            autofocus
            autocomplete="off"
          />
        </label>
        <label>
          What it is for
          <input name="description" maxLength={256} defaultValue={webhook?.description ?? ""} autocomplete="off" />
        </label>
        <Some name="kinds" label="Told when; none means all of it" options={TOLD} chosen={webhook?.kinds ?? []} />
        <Some name="states" label="Of answers that end so; none means all" options={ENDS} chosen={webhook?.states ?? []} />
        <label>
          Of these handlers
          <input name="handlers" placeholder="all" defaultValue={webhook?.handlers.join(", ") ?? ""} autocomplete="off" aria-describedby="handlers-hint" />
          <small id="handlers-hint">Names, with commas between.</small>
        </label>
        <button type="submit" class="primary">
          {webhook ? "Change it" : "Make it"}
        </button>
      </form>
    </Dialog>
  );
}

function Some(props: { name: string; label: string; options: Record<number, string | undefined>; chosen: number[] }): JSX.Element {
  return (
    <fieldset>
      <legend>{props.label}</legend>
      {Object.entries(props.options).map(([value, words]) => (
        <label key={value} class="check">
          <input type="checkbox" name={props.name} value={value} defaultChecked={props.chosen.includes(Number(value))} /> {words}
        </label>
      ))}
    </fieldset>
  );
}

/** What is not asked for stays as it was. */
function webhookOf(data: FormData, before: Webhook | undefined): Webhook {
  const handlers = `${data.get("handlers")}`.split(",").map((each) => each.trim());
  return {
    ...(before ?? create(WebhookSchema)),
    url: `${data.get("url")}`.trim(),
    description: `${data.get("description")}`.trim(),
    kinds: data.getAll("kinds").map(Number) as NotificationKind[],
    states: data.getAll("states").map(Number) as TurnState[],
    handlers: [...new Set(handlers.filter(Boolean))],
  };
}
