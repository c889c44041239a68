// Security events: what somebody may have to account for, as it happens, and the proof of it.

import { type DescField, toJson } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { errorOf } from "../antiphon";
import { type SecurityEvent, SecurityEventSchema } from "../gen/antiphon/auth/v1/audit_pb";
import { AuditFault } from "../gen/antiphon/auth/v1/audit_service_pb";
import type { Desk } from "../page/desk";
import { Notice } from "../page/parts";
import { moment, sentenceOf } from "../page/words";
import { Filter, State, wordOf } from "../page/table";

const MOST = 500;
const AGAIN_MS = 2_000;

/** The newest security events, and those that come. */
export function Security({ desk }: { desk: Desk }): JSX.Element {
  const [events, setEvents] = useState<SecurityEvent[]>([]);
  const [kinds, setKinds] = useState(new Set<string>());
  const [error, setError] = useState("");
  const [proof, setProof] = useState("");
  useEffect(() => {
    const leaving = new AbortController();
    void follow(desk, leaving.signal, setEvents, setError);
    return () => leaving.abort();
  }, [desk]);
  const names = [...new Set(events.map(kindOf))].sort();
  const shown = events.filter((event) => !kinds.size || kinds.has(kindOf(event)));
  const verify = async () => {
    setProof("Looking at every event…");
    try {
      const found = await desk.session.stubs.audit.verifySecurityEvents({}, { timeoutMs: 60_000 });
      setProof(
        found.fault === AuditFault.UNSPECIFIED
          ? `All ${found.verified} events are complete and unchanged.`
          : `Event ${found.faultSequence}: ${wordOf(AuditFault, found.fault)}.`,
      );
    } catch (thrown) {
      setProof(sentenceOf(thrown));
    }
  };
  return (
    <>
      <div class="bar">
        <Filter label="Kinds" names={names} chosen={kinds} onChange={setKinds} />
        <button type="button" onClick={verify}>
          Verify
        </button>
        <span role="status">{proof}</span>
      </div>
      {error && <Notice text={error} />}
      <ol class="tail">
        {shown.slice(0, 200).map((event) => (
          <li key={`${event.sequence}`}>
            <details>
              <summary>
                <time>{event.createTime ? moment(timestampMs(event.createTime)) : ""}</time>
                <State name={kindOf(event)} />
                <span>{event.actor === "anonymous" ? "somebody" : desk.nameOf(event.actor)}</span>
                <span class="quiet">{event.address}</span>
                <span class="gist">{gistOf(event)}</span>
              </summary>
              <pre tabIndex={0}>{JSON.stringify(toJson(SecurityEventSchema, event), null, 2)}</pre>
            </details>
          </li>
        ))}
      </ol>
    </>
  );
}

/** The newest page, and then behind the newest of it; a watch that ends is opened again. */
async function follow(
  desk: Desk,
  signal: AbortSignal,
  setEvents: (change: (was: SecurityEvent[]) => SecurityEvent[]) => void,
  setError: (sentence: string) => void,
): Promise<void> {
  const { audit } = desk.session.stubs;
  let after: bigint | undefined;
  const add = (fresh: SecurityEvent[]) =>
    setEvents((was) => [...fresh.toSorted((a, b) => Number(b.sequence - a.sequence)), ...was].slice(0, MOST));
  while (!signal.aborted) {
    try {
      if (after === undefined) {
        const page = await audit.listSecurityEvents({ pageSize: 100 }, { signal });
        add(page.events);
        after = page.events.reduce((most, event) => (event.sequence > most ? event.sequence : most), 0n);
      }
      const watch = audit.watchSecurityEvents({ afterSequence: after }, { signal, timeoutMs: 3_600_000 });
      for await (const { events, progressSequence } of watch) {
        setError("");
        if (events.length) add(events);
        if (progressSequence > after) after = progressSequence;
        for (const event of events) if (event.sequence > after) after = event.sequence;
      }
    } catch (thrown) {
      const error = errorOf(thrown);
      if (signal.aborted) return;
      if (!error.isResumable && !error.isOfToken) return setError(sentenceOf(error));
    }
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
}

function kindOf(event: SecurityEvent): string {
  return (event.detail.case ?? "").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function gistOf(event: SecurityEvent): string {
  const kind = event.detail.case ?? "";
  const detail = toJson(SecurityEventSchema, event) as Record<string, unknown>;
  const facts = (detail[kind] ?? {}) as Record<string, unknown>;
  return Object.entries(facts)
    .map(([name, value]) => `${wordsOf(name)}: ${shown(value, prefixOf(kind, name))}`)
    .join(", ");
}

/** What the names of an enum's values begin with, in the contract alone. */
function prefixOf(kind: string, name: string): string {
  const fields: Record<string, DescField> = SecurityEventSchema.field;
  const facts: Record<string, DescField> = fields[kind]?.message?.field ?? {};
  return facts[name]?.enum?.sharedPrefix ?? "";
}

function shown(value: unknown, prefix: string): string {
  if (typeof value === "object") return JSON.stringify(value);
  const text = `${value}`;
  return prefix ? text.toLowerCase().replace(prefix.toLowerCase(), "").replaceAll("_", " ") : text;
}

function wordsOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
