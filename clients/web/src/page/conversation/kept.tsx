// What stays when something in it can't be drawn.

import { Component, type ComponentChildren } from "preact";

interface KeptProps {
  role: string;
  text: string;
  children: ComponentChildren;
}

/** A message as it is drawn, or else as it was written: none takes the page down. */
export class Kept extends Component<KeptProps, { isBroken: boolean }> {
  override state = { isBroken: false };

  override componentDidCatch(thrown: unknown): void {
    console.warn("A message is shown as it was written", thrown);
    this.setState({ isBroken: true });
  }

  override render({ role, text, children }: KeptProps): ComponentChildren {
    if (!this.state.isBroken) return children;
    return (
      <article class={`message ${role}`}>
        <div class="body">
          <p class="plain" dir="auto">{text}</p>
        </div>
      </article>
    );
  }
}
