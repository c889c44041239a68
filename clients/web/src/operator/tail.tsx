// What happens now, in every log that the operator reads.

import { toJson } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Event, EventSchema } from "../gen/antiphon/events/v1/event_pb";
import type { Desk } from "../page/desk";
import { Notice } from "../page/parts";
import { sentenceOf } from "../page/words";
import { Filter } from "../page/table";

const MOST = 500;
const MOST_SCOPES = 150;
const GROUPS: Record<string, string[]> = {
  messages: ["messagePosted"],
  turns: ["turnAccepted", "turnQueued", "turnStarted", "turnAssigned", "turnProgressed", "turnFinished"],
  text: ["textDeltaAppended"],
  tools: ["toolCallStarted", "toolCallFinished"],
  members: ["memberAdded", "memberUpdated", "memberRemoved"],
  conversations: ["conversationCreated", "conversationUpdated", "conversationArchived", "workspaceUpdated"],
  presence: ["typingChanged", "presenceChanged"],
};

interface Line {
  key: string;
  event: Event;
}

/** A tail of events with filters; it can be held to be read. */
export function Tail({ desk }: { desk: Desk }): JSX.Element {
  const [lines, setLines] = useState<Line[]>([]);
  const [groups, setGroups] = useState(new Set(["messages", "turns", "tools", "members", "conversations"]));
  const [words, setWords] = useState("");
  const [isHeld, setHeld] = useState(false);
  const [error, setError] = useState("");
  const held = useRef(false);
  held.current = isHeld;
  useEffect(() => {
    let count = 0;
    const take = (events: Event[]) => {
      if (held.current) return;
      const fresh = events.map((event) => ({ key: `${(count += 1)}`, event }));
      setLines((was) => [...fresh.toReversed(), ...was].slice(0, MOST));
    };
    const conversations = desk.conversations.slice(0, MOST_SCOPES);
    const scopes = [
      "global",
      desk.session.actor,
      ...desk.workspaces.slice(0, 40).map((each) => `workspaces/${each.workspaceId}`),
      ...conversations.map((each) => `conversations/${each.conversationId}`),
    ];
    const watches = scopes.map((scope) =>
      desk.session.follower.watch(
        scope,
        {
          events: take,
          ended: (why) => why.reason !== "NOT_FOUND" && setError(sentenceOf(why)),
        },
        { ephemeral: true },
      ),
    );
    return () => {
      for (const watch of watches) watch.close();
    };
  }, [desk, desk.conversations.length]);
  const kinds = new Set([...groups].flatMap((group) => GROUPS[group] ?? []));
  const shown = lines.filter(({ event }) => {
    if (!kinds.has(event.payload.case ?? "")) return false;
    return !words || JSON.stringify(toJson(EventSchema, event)).toLowerCase().includes(words.toLowerCase());
  });
  return (
    <>
      <div class="bar">
        <Filter label="Kinds of events" names={Object.keys(GROUPS)} chosen={groups} onChange={setGroups} />
        <input
          type="search"
          placeholder="Only with these words"
          aria-label="Only events with these words"
          value={words}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
        <button type="button" aria-pressed={isHeld} onClick={() => setHeld(!isHeld)}>
          {isHeld ? "Go on" : "Hold"}
        </button>
      </div>
      {error && <Notice text={error} />}
      {!shown.length && (
        <p class="empty">Nothing yet. What happens in your conversations from now on is shown here.</p>
      )}
      <ol class="tail">
        {shown.slice(0, 200).map(({ key, event }) => (
          <li key={key}>
            <details>
              <summary>
                <time>{event.time ? new Date(timestampMs(event.time)).toLocaleTimeString() : ""}</time>
                <b>{kindOf(event)}</b>
                <span class="quiet">{desk.nameOf(event.actor)}</span>
                <code>{event.scope.split("/").at(-1)?.slice(-8)}</code>
                <span class="gist">{gistOf(event)}</span>
              </summary>
              <pre tabIndex={0}>{JSON.stringify(toJson(EventSchema, event), null, 2)}</pre>
            </details>
          </li>
        ))}
      </ol>
    </>
  );
}

function kindOf(event: Event): string {
  return (event.payload.case ?? "").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function gistOf({ payload }: Event): string {
  switch (payload.case) {
    case "messagePosted": {
      const content = payload.value.message?.parts[0]?.content;
      return content?.case === "text" ? content.value.slice(0, 160) : "";
    }
    case "textDeltaAppended":
      return payload.value.text;
    case "turnProgressed":
      return payload.value.status;
    case "turnAccepted":
      return payload.value.parentTurnId ? `for ${payload.value.parentTurnId}` : "";
    case "turnAssigned":
      return `${payload.value.deployment} ${payload.value.version}`.trim();
    case "turnFinished":
      return `${payload.value.model} ${payload.value.error?.message ?? ""}`;
    case "toolCallStarted":
      return payload.value.tool;
    default:
      return "";
  }
}

