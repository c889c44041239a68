// Approving or denying a call of a tool that waits for it.

import type { JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Notice } from "../parts";
import { sentenceOf } from "../words";

const LONGEST = 1_000;

/** Two buttons; who denies may say why. `onGone` gets the focus that would be lost with them. */
export function Decide(props: {
  tool: string;
  onDecide: (approve: boolean, reason: string) => Promise<void>;
  onGone: () => void;
}): JSX.Element {
  const [isDenying, setDenying] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => {
    const { current } = form;
    return () => {
      if (current?.contains(document.activeElement)) props.onGone();
    };
  }, []);
  const hasAsked = useRef(false);
  useLayoutEffect(() => {
    if (isDenying || hasAsked.current) form.current?.querySelector<HTMLElement>("input, button")?.focus();
    hasAsked.current = isDenying;
  }, [isDenying]);
  const decide = async (approve: boolean, reason = "") => {
    if (isBusy) return;
    setBusy(true);
    setError("");
    try {
      await props.onDecide(approve, reason);
    } catch (thrown) {
      setError(sentenceOf(thrown));
    }
    setBusy(false);
  };
  const deny = (event: Event) => {
    event.preventDefault();
    void decide(false, `${new FormData(form.current!).get("reason") ?? ""}`.trim());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !isDenying) return;
    event.stopPropagation(); // it stops no answer
    setDenying(false);
  };
  return (
    <div role="group" aria-label={`May ${props.tool} be called?`}>
      <form ref={form} class="decide" onSubmit={deny} onKeyDown={onKeyDown}>
        {error && <Notice text={error} />}
        {isDenying ? (
          <>
            <input
              name="reason"
              aria-label="Why not? The model is told."
              placeholder="Why not? The model is told; may be empty"
              maxLength={LONGEST}
              autocomplete="off"
            />
            <button type="submit" class="danger" aria-disabled={isBusy}>
              Deny
            </button>
            <button type="button" onClick={() => setDenying(false)}>
              Back
            </button>
          </>
        ) : (
          <>
            <button type="button" class="primary" aria-disabled={isBusy} onClick={() => void decide(true)}>
              Approve
            </button>
            <button type="button" aria-disabled={isBusy} onClick={() => setDenying(true)}>
              Deny…
            </button>
          </>
        )}
      </form>
    </div>
  );
}
