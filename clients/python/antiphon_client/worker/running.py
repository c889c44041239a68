"""A handler at work on a turn."""

import asyncio
import logging
from collections.abc import Mapping

from antiphon.dispatcher.v1.handoff_pb2 import HandoffOrder
from antiphon.dispatcher.v1.worker_pb2 import Finish
from antiphon_client.client import Client
from antiphon_client.worker.handing_off import HandedOff
from antiphon_client.worker.handlers import Handler, WorkFailed
from antiphon_client.worker.pacing import cut
from antiphon_client.worker.turns import FAILED, Turn
from antiphon_client.worker.work import Work

LOG = logging.getLogger("antiphon_client.worker")
_MOST_FAILURE_BYTES = 1024


class Runner:
    """Runs handlers, and says how they ended."""

    def __init__(self, handlers: Mapping[str, Handler], client: Client) -> None:
        self._handlers = handlers
        self._client = client

    async def run(self, turn: Turn) -> None:
        """Work on a turn until it is over."""
        work = Work(turn, self._client)
        try:
            await self._handlers[work.handler].run(work)
        except asyncio.CancelledError:
            _end(turn, work, FAILED)  # of its own accord; one that was stopped says nothing more
            raise
        except HandedOff as handed:
            _end(turn, work, hand_off=handed.order)
        except WorkFailed as failed:
            _end(turn, work, str(failed) or FAILED)
        except Exception:
            if not turn.is_closed:
                LOG.exception("the handler %r failed at %s", work.handler, work.turn_id)
            _end(turn, work, FAILED)
        else:
            _end(turn, work)


def _end(turn: Turn, work: Work, failure: str = "", hand_off: HandoffOrder | None = None) -> None:
    said = cut(failure, _MOST_FAILURE_BYTES)
    turn.finish(Finish(failure=said, usage=work.usage, model=work.model, hand_off=hand_off))
