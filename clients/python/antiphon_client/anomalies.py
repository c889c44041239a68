"""Anomalies: detectors of who behaves out of the ordinary, and the flags that they raise."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from antiphon.context.v1 import anomaly_service_pb2 as messages
from antiphon.context.v1.anomaly_pb2 import Detector, Flag
from antiphon.context.v1.anomaly_pb2 import Detectors as ParentDetectors
from antiphon_client.caller import Caller, pages

if TYPE_CHECKING:
    from antiphon.context.v1.anomaly_service_pb2_grpc import AnomalyServiceAsyncStub


class Anomalies:
    """What admins and operators do with detectors and flags.

    A parent is a workspace's id or "global". Errors: AntiphonError, as each RPC's comment says.
    """

    _anomalies: "AnomalyServiceAsyncStub"
    _caller: Caller

    async def get_detectors(self, parent: str, revision: int = 0) -> ParentDetectors:
        """The detectors of a parent as they are, or as they were at a revision."""
        request = messages.GetDetectorsRequest(parent=parent, revision=revision)
        return (await self._caller.call(self._anomalies.GetDetectors, request)).detectors

    async def set_detectors(
        self,
        parent: str,
        detectors: Sequence[Detector],
        *,
        comment: str = "",
        expected_revision: int | None = None,
    ) -> ParentDetectors:
        """Replace all detectors of a parent.

        With ``expected_revision`` only if nobody has set others since that was read.
        """
        request = messages.SetDetectorsRequest(
            parent=parent,
            detectors=detectors,
            comment=comment,
            expected_revision=expected_revision,
        )
        return (await self._caller.call(self._anomalies.SetDetectors, request)).detectors

    def list_detector_revisions(self, parent: str) -> AsyncGenerator[ParentDetectors]:
        """What the detectors of a parent were, the newest first, without themselves."""

        async def fetch(page_token: str) -> messages.ListDetectorRevisionsResponse:
            request = messages.ListDetectorRevisionsRequest(parent=parent, page_token=page_token)
            return await self._caller.call(self._anomalies.ListDetectorRevisions, request)

        return pages(fetch, lambda page: page.revisions)

    def list_flags(
        self,
        parent: str,
        *,
        subject: str = "",
        cleared: bool = False,
        changed_after: datetime | None = None,
    ) -> AsyncGenerator[Flag]:
        """The flags of a parent's detectors, those that changed last first; open ones, or all."""

        async def fetch(page_token: str) -> messages.ListFlagsResponse:
            request = messages.ListFlagsRequest(
                parent=parent, subject=subject, cleared=cleared, page_token=page_token
            )
            if changed_after is not None:
                request.changed_after.FromDatetime(changed_after)
            return await self._caller.call(self._anomalies.ListFlags, request)

        return pages(fetch, lambda page: page.flags)

    async def get_flag(self, parent: str, flag_id: str) -> Flag:
        """One flag."""
        request = messages.GetFlagRequest(parent=parent, flag_id=flag_id)
        return (await self._caller.call(self._anomalies.GetFlag, request)).flag

    async def clear_flag(self, parent: str, flag_id: str, reason: str) -> Flag:
        """Close a flag, for a reason that the audit trail keeps."""
        request = messages.ClearFlagRequest(parent=parent, flag_id=flag_id, reason=reason)
        return (await self._caller.call(self._anomalies.ClearFlag, request)).flag
