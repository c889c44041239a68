// Above what is read: that there is no connection, and what the operators tell everybody.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Desk } from "./desk";
import { Icon, IconButton } from "./parts";
import { useChanges } from "./use";

/** Says when there is no connection; what comes meanwhile is not lost. */
export function ConnectionBar({ desk }: { desk: Desk }): JSX.Element {
  const { isAway } = desk;
  const { error } = desk.connection;
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    // What is over within a moment is not worth a word.
    const timer = setTimeout(() => setShown(isAway), isAway ? 600 : 0);
    return () => clearTimeout(timer);
  }, [isAway]);
  return (
    <div class="connection" role="status" aria-live="polite">
      {isShown && (
        <p>
          <span class="pulse" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          Connection lost; trying again. Nothing is lost.
          <button type="button" class="link" onClick={() => desk.session.follower.resume()} title={error?.rawMessage}>
            Try now
          </button>
        </p>
      )}
    </div>
  );
}

/** What the operators tell everybody, until it is over or put away. */
export function NoticeBar({ desk }: { desk: Desk }): JSX.Element {
  const notices = useChanges(desk.notices);
  return (
    <div class="announcements" role="status" aria-live="polite">
      {notices.shown.map((notice) => (
        <div key={notice.noticeId}>
          <Icon name="megaphone" />
          <p dir="auto">{notice.text}</p>
          <IconButton name="close" label="Put this notice away" onClick={() => notices.putAway(notice)} />
        </div>
      ))}
    </div>
  );
}
