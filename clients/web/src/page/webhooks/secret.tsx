// A window: the secret of a webhook, which is shown once.

import type { JSX } from "preact";
import { CopyButton, Dialog } from "../parts";
import { visible } from "../visible";

/** What its receiver verifies by. */
export function SecretDialog({ secret, url, onClose }: { secret: string; url: string; onClose: () => void }): JSX.Element {
  return (
    <Dialog title="Its secret" onClose={onClose}>
      <p>
        Whoever receives what is posted to <code>{visible(url)}</code> verifies by it that it comes from here. Give it to them now:{" "}
        <strong>it is not shown again.</strong>
      </p>
      <p class="secret">
        <code>{secret}</code>
        <CopyButton text={secret} label="Copy the secret" />
      </p>
      <div class="row end">
        <button type="button" class="primary" onClick={onClose}>
          I have it
        </button>
      </div>
    </Dialog>
  );
}
