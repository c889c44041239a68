// A webhook: how it stands, and what can be done with it.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { milliseconds } from "../../antiphon";
import type { Webhook } from "../../gen/antiphon/dispatcher/v1/webhook_pb";
import type { Desk } from "../desk";
import { Notice } from "../parts";
import { State } from "../table";
import { visible } from "../visible";
import { sentenceOf, took } from "../words";
import { Deliveries } from "./deliveries";
import { cameBack, stateOf, toldOf } from "./words";

interface OneProps {
  desk: Desk;
  workspaceId: string;
  webhook: Webhook;
  onChange: () => void;
  onPut: () => void;
  onRenew: () => Promise<void>;
  onRemove: () => void;
}

/** Where it posts, when it is told, whether that is taken. */
export function One(props: OneProps): JSX.Element {
  const { webhook } = props;
  const [isOpen, setOpen] = useState(false);
  const [error, setError] = useState("");
  const [told, tell] = useState("");
  const [name, why] = stateOf(webhook);
  const doing = (work: () => Promise<string | void>) => async () => {
    setError("");
    tell("");
    try {
      tell((await work()) || "");
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
    props.onChange();
  };
  return (
    <div class="webhook">
      <div class="bar">
        <h3 class="grow" dir="ltr">
          {visible(webhook.url)}
        </h3>
        <State name={name} />
      </div>
      {webhook.description && <p dir="auto">{visible(webhook.description)}</p>}
      <p class="quiet">
        {toldOf(webhook)}
        {why && ` ${why}`}
        {webhook.secretCount > 1 && ` ${webhook.secretCount} secrets are valid, the older ones for a day.`}
      </p>
      {error && <Notice text={error} />}
      <Ways {...props} doing={doing} isOpen={isOpen} onOpen={() => setOpen(!isOpen)} />
      <p role="status" class="quiet">
        {told}
      </p>
      {isOpen && <Deliveries desk={props.desk} workspaceId={props.workspaceId} webhook={webhook} />}
    </div>
  );
}

type WaysProps = OneProps & {
  doing: (work: () => Promise<string | void>) => () => Promise<void>;
  isOpen: boolean;
  onOpen: () => void;
};

function Ways({ desk, workspaceId, webhook, doing, isOpen, ...props }: WaysProps): JSX.Element {
  const { webhooks } = desk.session.stubs;
  const { webhookId, disabled } = webhook;
  const named = visible(webhook.url);
  const toggle = async () => {
    await webhooks.updateWebhook({
      workspaceId,
      webhook: { ...webhook, disabled: !disabled },
      updateMask: { paths: ["disabled"] },
    });
  };
  const test = async () => {
    const found = await webhooks.testWebhook({ workspaceId, webhookId });
    return `A test was posted: ${cameBack(found)}, within ${took(Math.round(milliseconds(found.duration) ?? 0))}.`;
  };
  const ways: [string, () => void][] = [
    ["Test", doing(test)],
    [disabled ? "Enable" : "Disable", doing(toggle)],
    ["Change", props.onPut],
    ["New secret", doing(props.onRenew)],
    ["Delete", props.onRemove],
  ];
  return (
    <span class="row">
      <button type="button" class="small" aria-expanded={isOpen} aria-label={`Deliveries: ${named}`} onClick={props.onOpen}>
        Deliveries
      </button>
      {ways.map(([name, act]) => (
        <button key={name} type="button" class="small" aria-label={`${name}: ${named}`} onClick={() => void act()}>
          {name}
        </button>
      ))}
    </span>
  );
}
