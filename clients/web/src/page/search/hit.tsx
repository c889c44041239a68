// One message that was found.

import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { JSX } from "preact";
import type { MessageHit } from "../../gen/antiphon/memory/v1/search_service_pb";
import { addressOf } from "../address";
import type { Desk } from "../desk";
import { Avatar } from "../parts";
import { moment, shortName } from "../words";
import { piecesOf } from "./excerpt";
import { whyOf } from "./words";

/** Who said it, when and where, with the words that were asked for; a link, which `onOpen` follows. */
export function Hit(props: {
  id: string;
  desk: Desk;
  hit: MessageHit;
  isChosen: boolean;
  isExplained: boolean;
  onOpen: () => void;
}): JSX.Element {
  const { id, desk, hit, isChosen, isExplained } = props;
  const { messageId = "", conversationId = "", author = "", createTime } = hit.message ?? {};
  const name = hit.authorName || shortName(author);
  const timeMs = createTime ? timestampMs(createTime) : 0;
  const open = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab, or a window
    event.preventDefault();
    props.onOpen();
  };
  return (
    <a
      id={id}
      class="hit"
      role="option"
      aria-selected={isChosen}
      tabIndex={-1}
      href={addressOf(conversationId, messageId)}
      onClick={open}
    >
      <span class="hit-head">
        <Avatar actor={author} name={name} />
        <bdi class="hit-who">{author === desk.session.actor ? "You" : name}</bdi>
        {timeMs > 0 && <time dateTime={new Date(timeMs).toISOString()}>{moment(timeMs)}</time>}
        <bdi class="hit-where">{hit.conversationTitle || "Untitled"}</bdi>
      </span>
      <span class="excerpt" dir="auto">
        {piecesOf(hit.excerpt, hit.highlights).map(({ text, isAsked }, at) => (isAsked ? <mark key={at}>{text}</mark> : text))}
      </span>
      {isExplained && <span class="hit-why">{whyOf(hit) || "nothing in particular"}</span>}
    </a>
  );
}
