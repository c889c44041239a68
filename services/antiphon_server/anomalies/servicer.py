"""AnomalyService: the contract's messages <-> the rules of anomalies."""

from typing import Any, TypeAlias

import grpc

from antiphon.context.v1 import anomaly_service_pb2 as pb
from antiphon.context.v1.anomaly_service_pb2_grpc import AnomalyServiceServicer
from antiphon_server.anomalies.encoding import detector_of, detectors_message, flag_message
from antiphon_server.anomalies.ports import FlagStore, Wanted
from antiphon_server.anomalies.watching import Detectors, Watching
from antiphon_server.runtime.errors import not_found
from antiphon_server.runtime.revisions.model import GLOBAL
from antiphon_server.runtime.rpc.paging import (
    decode_page_token,
    encode_page_token,
    number,
    page_limit,
)
from antiphon_server.runtime.rpc.times import micros_of
from antiphon_server.runtime.trail.relay import TrailRelay

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class AnomalyServicer(AnomalyServiceServicer):
    """Serves who sets detectors, and who looks at flags."""

    def __init__(
        self, detectors: Detectors, flags: FlagStore, watching: Watching, trail: TrailRelay
    ) -> None:
        self._detectors, self._flags = detectors, flags
        self._watching, self._trail = watching, trail

    async def GetDetectors(
        self, request: pb.GetDetectorsRequest, context: Context
    ) -> pb.GetDetectorsResponse:
        found = await self._detectors.get(request.parent, request.revision)
        return pb.GetDetectorsResponse(detectors=detectors_message(found))

    async def SetDetectors(
        self, request: pb.SetDetectorsRequest, context: Context
    ) -> pb.SetDetectorsResponse:
        rules = tuple(map(detector_of, request.detectors))
        seen = request.expected_revision if request.HasField("expected_revision") else None
        found = await self._detectors.set(request.parent, rules, request.comment, seen)
        await self._trail.tell()
        return pb.SetDetectorsResponse(detectors=detectors_message(found))

    async def ListDetectorRevisions(
        self, request: pb.ListDetectorRevisionsRequest, context: Context
    ) -> pb.ListDetectorRevisionsResponse:
        listed, limit = f"detectors of {request.parent}", page_limit(request.page_size)
        position = decode_page_token(request.page_token, listed, fields=1)
        before = number(position[0]) if position else 0
        found = await self._detectors.revisions(request.parent, before, limit + 1)
        page, token = found[:limit], ""
        if len(found) > limit:
            token = encode_page_token(listed, str(page[-1].number))
        return pb.ListDetectorRevisionsResponse(
            revisions=map(detectors_message, page), next_page_token=token
        )

    async def ListFlags(
        self, request: pb.ListFlagsRequest, context: Context
    ) -> pb.ListFlagsResponse:
        listed = f"flags of {request.parent} {request.subject}"
        position = decode_page_token(request.page_token, listed, fields=2)
        limit = page_limit(request.page_size)
        found = await self._flags.list(
            Wanted(
                _any_of(request.parent),
                request.subject,
                request.cleared,
                micros_of(request, "changed_after") or 0,
                (number(position[0]), position[1]) if position else None,
                limit + 1,
            )
        )
        page, token = found[:limit], ""
        if len(found) > limit:
            token = encode_page_token(listed, str(page[-1].changed_us), page[-1].flag_id)
        return pb.ListFlagsResponse(flags=map(flag_message, page), next_page_token=token)

    async def GetFlag(self, request: pb.GetFlagRequest, context: Context) -> pb.GetFlagResponse:
        found = await self._flags.get(_any_of(request.parent), request.flag_id)
        if found is None:
            raise not_found(request.flag_id)
        return pb.GetFlagResponse(flag=flag_message(found))

    async def ClearFlag(
        self, request: pb.ClearFlagRequest, context: Context
    ) -> pb.ClearFlagResponse:
        flag_id = request.flag_id
        found = await self._flags.clear(_any_of(request.parent), flag_id, request.reason)
        if found is None:
            raise not_found(flag_id)
        await self._watching.look()
        await self._trail.tell()
        return pb.ClearFlagResponse(flag=flag_message(found))


def _any_of(parent: str) -> str:
    """Operators see the flags of all."""
    return "" if parent == GLOBAL else parent
