// The chat page: from nothing to somebody who is signed in.

import { render } from "preact";
import { applyTheme } from "./theme";
import { App } from "./app";
import { Gate } from "./gate";

applyTheme();
render(
  <Gate>{(desk, signOut) => <App key={desk.session.actor} desk={desk} onSignOut={signOut} />}</Gate>,
  document.getElementById("app")!,
);
