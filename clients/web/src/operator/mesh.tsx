// What runs where, if there is a registry.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import type { JSX } from "preact";
import { errorOf, listed } from "../antiphon";
import { type Instance, InstanceState } from "../gen/antiphon/mesh/v1/instance_pb";
import { RegistryService } from "../gen/antiphon/mesh/v1/registry_service_pb";
import type { Desk } from "../page/desk";
import { duration } from "../page/words";
import { useLoaded } from "../page/loading";
import { State, Table, wordOf } from "../page/table";

/** Instances of services, or that there is one process. */
export function Mesh({ desk }: { desk: Desk }): JSX.Element {
  const { value, error } = useLoaded(() => read(desk), [], 3_000);
  if (value === "none") return <p class="empty">There is no registry here: all services run in one process.</p>;
  return (
    <Table
      label="Instances"
      rows={value}
      error={error}
      keyOf={(each) => `${each.service} ${each.nodeId}`}
      empty="No service is registered."
      columns={[
        { name: "service", cell: (each) => each.service },
        { name: "node", cell: (each) => <code title={each.nodeId}>{each.nodeId.slice(-6)}</code> },
        { name: "where", cell: (each) => `${each.host}:${each.port}` },
        { name: "state", cell: (each) => <State name={wordOf(InstanceState, each.state)} /> },
        { name: "since", cell: (each) => (each.registerTime ? duration(Date.now() - timestampMs(each.registerTime)) : ""), isNumber: true },
        { name: "RPCs/s", cell: (each) => each.rates?.rpcsPerS.toFixed(1) ?? "", isNumber: true },
        { name: "failures/s", cell: (each) => each.rates?.failuresPerS.toFixed(2) ?? "", isNumber: true },
        { name: "under way", cell: (each) => `${each.load?.runningRpcs ?? 0}`, isNumber: true },
      ]}
    />
  );
}

async function read(desk: Desk): Promise<Instance[] | "none"> {
  const registry = createClient(
    RegistryService,
    createGrpcWebTransport({ baseUrl: location.origin, defaultTimeoutMs: 10_000 }),
  );
  const headers = { authorization: `Bearer ${await desk.session.tokens.get()}` };
  try {
    return await listed(
      (pageToken) => registry.listInstances({ pageToken }, { headers }),
      (page) => page.instances,
      1_000,
    );
  } catch (thrown) {
    const error = errorOf(thrown);
    // A path that no service has is answered by the pages, which take no POST.
    if (!error.reason && [Code.Unimplemented, Code.Unknown].includes(error.code)) return "none";
    if (error.reason === "UNIMPLEMENTED") return "none";
    throw error;
  }
}
