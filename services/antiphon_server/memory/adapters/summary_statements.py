"""The statements of summaries."""

from typing import Any

from sqlalchemy import ClauseElement, and_, bindparam, delete, exists, func, or_, select, update

from antiphon_server.memory.adapters.source_rows import WHOLE
from antiphon_server.memory.adapters.tables import (
    erased_sources,
    summaries,
    summary_messages,
    summary_places,
)
from antiphon_server.memory.summaries.model import State
from antiphon_server.runtime.storage.statements import PreparedIn, PreparedInsert

_ASKED = 32
_S, _M, _P = summaries.c, summary_messages.c, summary_places.c
_HERE = _S.conversation_id == bindparam("b_where")
_THIS = and_(_HERE, _S.level == bindparam("b_level"), _S.number == bindparam("b_number"))
_AS_WAS = and_(_THIS, _S.revision == bindparam("b_revision"))
_NEXT = _S.revision + 1


def _places_of(places: range) -> ClauseElement:
    asked: list[Any] = [bindparam(f"conversation_id_{n}") for n in places]
    return select(summary_places).where(_P.conversation_id.in_(asked))


def _nodes_of(places: range) -> ClauseElement:
    """One search of an index for each: of a list of pairs SQLite reads the whole table."""
    asked = [
        and_(
            _S.conversation_id == bindparam(f"where_{n}"),
            _S.level == bindparam(f"level_{n}"),
            _S.number == bindparam(f"number_{n}"),
        )
        for n in places
    ]
    return select(_S.body).where(or_(*asked), _S.state != int(State.DUE))


def _of(place: str) -> Any:
    return _M.conversation_id == bindparam(place)


PLACES = PreparedIn(_places_of)
KNOWN = (
    select(summary_places)
    .where(_P.conversation_id > bindparam("b_after"))
    .order_by(_P.conversation_id)
    .limit(bindparam("b_limit"))
)
BEGIN = PreparedInsert(summary_places, " ON CONFLICT DO NOTHING")
GO_ON = (
    update(summary_places)
    .where(_P.conversation_id == bindparam("b_where"), _P.cursor == bindparam("b_cursor"))
    .values({name: bindparam(f"b_new_{name}") for name in ("block", "count", "size", "last_us")})
    .values(cursor=bindparam("b_new_cursor"))
)
HOLD = (  # whoever reads on, or forgets something, waits for the other
    update(summary_places).where(_P.conversation_id == bindparam("b_where")).values(block=_P.block)
)
BLOCK = select(_P.block).where(_P.conversation_id == bindparam("b_where"))
ADD_MESSAGES = PreparedInsert(summary_messages, " ON CONFLICT DO NOTHING")
ADD_DUE = PreparedInsert(summaries, " ON CONFLICT DO NOTHING")
_BLOCKS_OF = select(_M.block).distinct()
OF_MESSAGES = _BLOCKS_OF.where(
    _of("b_where"), _M.message_id.in_(bindparam("b_those", expanding=True))
)
OF_TURNS = _BLOCKS_OF.where(_of("b_where"), _M.turn_id.in_(bindparam("b_those", expanding=True)))
TAKE_MESSAGES = delete(summary_messages).where(
    _of("b_where"), _M.message_id.in_(bindparam("b_those", expanding=True))
)
ANEW = (
    update(summaries)
    .where(_THIS)
    .values(state=int(State.DUE), revision=_NEXT, retry_us=0, tries=0, body=b"")
)
DROP = [
    delete(it).where(it.c.conversation_id == bindparam("b_where"))
    for it in (summaries, summary_messages)
]
DROP_PLACE = delete(summary_places).where(
    _P.conversation_id == bindparam("b_where"), _P.cursor == bindparam("b_cursor")
)
WAITING = (
    select(_S.conversation_id)
    .where(_S.state == int(State.DUE))
    .distinct()
    .limit(bindparam("b_limit"))
)
DUE = (
    select(_S.level, _S.number, _S.revision, _S.tries)
    .where(_S.state == int(State.DUE), _HERE)
    .order_by(_S.level, _S.number)
    .limit(bindparam("b_limit"))
)
PENDING = select(func.count()).where(_S.state == int(State.DUE), _HERE)
_ERASED = exists().where(
    erased_sources.c.conversation_id == _M.conversation_id,
    or_(erased_sources.c.message_id == _M.message_id, erased_sources.c.message_id == WHOLE),
)
MESSAGES = (
    select(_M.message_id)
    .where(_of("b_where"), _M.block == bindparam("b_block"), ~_ERASED)
    .order_by(_M.place)
)
PUT = (
    update(summaries)
    .where(_AS_WAS)
    .values(state=bindparam("b_state"), body=bindparam("b_body"), revision=_NEXT)
)
EXTRACTS = (
    select(_S.conversation_id, _S.level, _S.number, _S.revision, _S.tries, _S.retry_us)
    .where(
        _S.state == int(State.EXTRACT),
        _S.conversation_id.in_(bindparam("b_those", expanding=True)),
        _S.retry_us <= bindparam("b_now"),
    )
    .order_by(_S.level, _S.number.desc())
    .limit(_ASKED)
)
WRITTEN_PARTS = select(func.count()).where(
    _HERE,
    _S.level == bindparam("b_level"),
    _S.number.between(bindparam("b_first"), bindparam("b_last")),
    _S.state == int(State.MODEL),
)
CLAIM = (
    update(summaries)
    .where(_AS_WAS, _S.retry_us == bindparam("b_retry"))
    .values(retry_us=bindparam("b_until"), tries=_S.tries + 1)
)
LATER = update(summaries).where(_AS_WAS).values(retry_us=bindparam("b_until"))
THOSE = PreparedIn(_nodes_of)
LISTED = (
    select(_S.body)
    .where(
        _HERE,
        _S.state != int(State.DUE),
        or_(
            _S.level > bindparam("b_level"),
            and_(_S.level == bindparam("b_level"), _S.number > bindparam("b_number")),
        ),
        _S.level.between(bindparam("b_least"), bindparam("b_most")),
    )
    .order_by(_S.level, _S.number)
    .limit(bindparam("b_limit"))
)
