// The operator's page.

import { render } from "preact";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Desk } from "../page/desk";
import { Gate } from "../page/gate";
import { Mark, Notice } from "../page/parts";
import { QueueLink } from "../page/queue/link";
import { ThemeSwitch } from "../page/sidebar";
import { applyTheme } from "../page/theme";
import { useChanges } from "../page/use";
import { Connections } from "./connections";
import { Filters } from "./filters";
import { Flags } from "./flags";
import { Mesh } from "./mesh";
import { People } from "./people";
import { Routes } from "./routes";
import { Schedules } from "./schedules";
import { Security } from "./security";
import { Tail } from "./tail";
import { Handlers, Turns } from "./turns";
import { Usage } from "./usage";
import { Workers } from "./workers";

const VIEWS: Record<string, { name: string; View: (props: { desk: Desk }) => JSX.Element }> = {
  live: { name: "Live", View: Tail },
  turns: { name: "Turns", View: Turns },
  usage: { name: "Usage", View: Usage },
  models: { name: "Models and handlers", View: Handlers },
  workers: { name: "Workers", View: Workers },
  routes: { name: "Routes", View: Routes },
  schedules: { name: "Schedules", View: Schedules },
  filters: { name: "Filters", View: Filters },
  flags: { name: "Flags", View: Flags },
  connections: { name: "Connections", View: Connections },
  people: { name: "People", View: People },
  security: { name: "Security", View: Security },
  mesh: { name: "Mesh", View: Mesh },
};

function Operations({ desk }: { desk: Desk }): JSX.Element {
  useChanges(desk);
  const [at, setAt] = useState(viewOf());
  useEffect(() => {
    const go = () => setAt(viewOf());
    addEventListener("hashchange", go);
    return () => removeEventListener("hashchange", go);
  }, []);
  const { name, View } = VIEWS[at]!;
  const isAway = desk.connection.state === "waiting";
  return (
    <div class="operations">
      <header class="top">
        <Mark />
        <h1>Operations</h1>
        {isAway && <span role="status" class="tag">connection lost, trying again</span>}
        {desk.session.user?.operator && !desk.isLoading && (
          <QueueLink desk={desk} href="/#/queue">
            Queue
          </QueueLink>
        )}
        <a href="/">Chat</a>
        <ThemeSwitch />
      </header>
      <nav class="tabs" aria-label="Views">
        {Object.entries(VIEWS).map(([key, view]) => (
          <a key={key} href={`#${key}`} aria-current={key === at ? "page" : undefined}>
            {view.name}
          </a>
        ))}
      </nav>
      <main class="view" aria-label={name} tabIndex={-1}>
        {!desk.session.user?.operator ? (
          <Notice text="This page is for operators alone. Ask one to make you one." />
        ) : (
          !desk.isLoading && <View key={at} desk={desk} />
        )}
      </main>
    </div>
  );
}

function viewOf(): string {
  const key = location.hash.slice(1);
  return key in VIEWS ? key : "live";
}

applyTheme();
render(<Gate>{(desk) => <Operations desk={desk} />}</Gate>, document.getElementById("app")!);
