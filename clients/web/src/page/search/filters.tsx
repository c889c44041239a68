// Where, by whom and since when was said what is looked for.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Desk } from "../desk";
import { Choice } from "../parts";
import { shortName } from "../words";
import type { Asked } from "./asking";

const MOST_PEOPLE = 100;
const A_DAY = "day";
const TIMES: Record<string, string> = {
  "": "at any time",
  "1": "in the last 24 hours",
  "7": "in the last 7 days",
  "30": "in the last 30 days",
  "365": "in the last year",
  [A_DAY]: "since a day …",
};

/** Three choices, of what is known to the page: the server says nothing of what one may not read. */
export function Filters(props: { desk: Desk; asked: Asked; onChange: (changed: Partial<Asked>) => void }): JSX.Element {
  const { desk, asked, onChange } = props;
  const [isOfDay, setOfDay] = useState(false);
  const since = (value: string) => {
    setOfDay(value === A_DAY);
    onChange({ since: value === A_DAY ? "" : value });
  };
  return (
    <div class="search-filters">
      <Choice name="place" label="Where" options={placesOf(desk)} value={asked.place} onChange={(place) => onChange({ place })} />
      <Choice name="author" label="Who" options={authorsOf(desk, asked.author)} value={asked.author} onChange={(author) => onChange({ author })} />
      <Choice name="since" label="When" options={TIMES} value={isOfDay ? A_DAY : asked.since} onChange={since} />
      {isOfDay && (
        <label>
          Since
          <input type="date" name="day" value={asked.since} onInput={(event) => onChange({ since: event.currentTarget.value })} />
        </label>
      )}
    </div>
  );
}

function placesOf({ thread, workspaces }: Desk): Record<string, string> {
  const here = thread ? { [thread.conversationId]: "this conversation" } : {};
  const named = workspaces.map((each) => [each.workspaceId, `workspace ${each.displayName}`]);
  return { "": "all conversations", ...here, ...(workspaces.length > 1 ? Object.fromEntries(named) : {}) };
}

/** Oneself, handlers, and those whose names were told. */
function authorsOf(desk: Desk, chosen: string): Record<string, string> {
  const { actor } = desk.session;
  const handlers = desk.handlers.map(({ name }) => [`handlers/${name}`, name]);
  const people = [...desk.names.all].filter(([other]) => other !== actor).slice(0, MOST_PEOPLE);
  const others = Object.fromEntries([...people, ...handlers]);
  const named = chosen && chosen !== actor && !(chosen in others) ? { [chosen]: shortName(chosen) } : {};
  return { "": "anybody", [actor]: "you", ...others, ...named };
}
