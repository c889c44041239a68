// Turns that start by the clock.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { listed, newTurnId } from "../../antiphon";
import type { Schedule } from "../../gen/antiphon/dispatcher/v1/schedule_pb";
import type { Desk } from "../desk";
import { useLoaded } from "../loading";
import { Notice } from "../parts";
import { State, Table } from "../table";
import { visible } from "../visible";
import { inWords, sentenceOf } from "../words";
import { lastOf, nextOf, whenOf } from "./words";

const AGAIN_MS = 5_000;
const MOST = 200;
const EMPTY = "There are none: antiphon schedules create --help says how one is made.";

/** Those that `read` finds, and ways to have one wait, go on, or run now. */
export function SchedulesTable({ desk, read }: { desk: Desk; read: () => Promise<Schedule[]> }): JSX.Element {
  const { value, error, reload } = useLoaded(read, [], AGAIN_MS);
  const [told, tell] = useState("");
  const doing = async (work: () => Promise<unknown>) => {
    try {
      await work();
      tell("");
    } catch (thrown) {
      tell(sentenceOf(thrown));
    }
    reload();
  };
  return (
    <>
      {told && <Notice text={told} />}
      <Table
        label="Schedules"
        isStacked
        rows={value}
        error={error}
        keyOf={(each) => `${each.conversationId} ${each.scheduleId}`}
        empty={EMPTY}
        columns={[
          { name: "says", cell: (each) => <Says schedule={each} /> },
          { name: "next", cell: (each) => <Next schedule={each} /> },
          { name: "last", cell: (each) => <Last schedule={each} /> },
          { name: "by", cell: (each) => visible(desk.nameOf(each.creator)) },
          { name: "", cell: (each) => <Ways desk={desk} schedule={each} doing={doing} /> },
        ]}
      />
    </>
  );
}

/** Its message, which leads to where it is kept. */
function Says({ schedule }: { schedule: Schedule }): JSX.Element {
  return (
    <a href={`/#/c/${schedule.conversationId}`} dir="auto" class="title" title={schedule.scheduleId}>
      {visible(textOf(schedule))}
    </a>
  );
}

/** When it is due; below it the rule that says so. */
function Next({ schedule }: { schedule: Schedule }): JSX.Element {
  return (
    <>
      {nextOf(schedule)}
      <span class="quiet title">{visible(whenOf(schedule))}</span>
    </>
  );
}

/** What became of the newest due time; a turn that was started is led to. */
function Last({ schedule }: { schedule: Schedule }): JSX.Element {
  const [name, why] = lastOf(schedule);
  const { lastConversationId: where } = schedule;
  if (!name) return <span class="quiet">nothing yet</span>;
  return (
    <>
      {name === "started" ? <a href={`/#/c/${where}`}>started</a> : <State name={name} />}
      {why && <span class="quiet title">{visible(why)}</span>}
    </>
  );
}

function Ways(props: { desk: Desk; schedule: Schedule; doing: (work: () => Promise<unknown>) => Promise<void> }): JSX.Element {
  const { schedule, doing } = props;
  const { schedules } = props.desk.session.stubs;
  const { conversationId, scheduleId, paused } = schedule;
  const named = visible(textOf(schedule));
  const pause = () =>
    schedules.updateSchedule({
      conversationId,
      schedule: { ...schedule, paused: !paused },
      updateMask: { paths: ["paused"] },
    });
  const name = paused ? "Go on" : "Pause";
  const isOver = !paused && !schedule.nextTime;
  return (
    <span class="row">
      {!isOver && (
        <button type="button" class="small" aria-label={`${name}: ${named}`} onClick={() => void doing(pause)}>
          {name}
        </button>
      )}
      <button
        type="button"
        class="small"
        aria-label={`Run now: ${named}`}
        onClick={() => void doing(() => schedules.runSchedule({ conversationId, scheduleId, turnId: newTurnId() }))}
      >
        Run now
      </button>
    </span>
  );
}

function textOf({ parts }: Schedule): string {
  return parts.map(inWords).join(" ");
}

/** All of a workspace's conversations. */
export function ofWorkspace(desk: Desk, workspaceId: string): Promise<Schedule[]> {
  const { schedules } = desk.session.stubs;
  return listed((pageToken) => schedules.listWorkspaceSchedules({ workspaceId, pageToken, pageSize: MOST }), (page) => page.schedules);
}

/** One's own, wherever. */
export function ofOneself(desk: Desk): Promise<Schedule[]> {
  const { schedules } = desk.session.stubs;
  return listed((pageToken) => schedules.listOwnSchedules({ pageToken, pageSize: MOST }), (page) => page.schedules);
}
