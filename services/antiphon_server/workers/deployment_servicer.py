"""Versions of deployments: the contract's messages <-> the rules."""

from dataclasses import dataclass

from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from antiphon_server.runtime.rpc.paging import decode_page_token, encode_page_token, page_limit
from antiphon_server.runtime.rpc.times import timestamp
from antiphon_server.runtime.trail.relay import TrailRelay
from antiphon_server.workers.deployments import Deployments
from antiphon_server.workers.model import Parent, Rollout, VersionsOf

MOST_VERSIONS = 200


class DeploymentCalls:
    """Two calls of WorkerService."""

    def __init__(self, deployments: Deployments, trail: TrailRelay) -> None:
        self._deployments, self._trail = deployments, trail

    async def listed(self, request: pb.ListDeploymentsRequest) -> pb.ListDeploymentsResponse:
        """ListDeployments."""
        listed, limit = f"deployments of {request.parent}", page_limit(request.page_size)
        (after,) = decode_page_token(request.page_token, listed, fields=1) or ("",)
        parent = Parent(request.parent)
        stored = await self._deployments.of(parent)
        names = sorted(it for it in _names(stored) if it > after)
        page = [self._encoded(parent, it, stored) for it in names[:limit]]
        token = encode_page_token(listed, names[limit - 1]) if len(names) > limit else ""
        return pb.ListDeploymentsResponse(deployments=page, next_page_token=token)

    async def set(self, request: pb.SetRolloutRequest) -> pb.SetRolloutResponse:
        """SetRollout."""
        parent = Parent(request.parent)
        versions = request.current_version, request.ramping_version
        rollout = Rollout(parent, request.deployment, *versions, request.ramping_percent)
        await self._deployments.set(rollout, request.etag)
        await self._trail.tell()
        stored = await self._deployments.of(parent)
        return pb.SetRolloutResponse(deployment=self._encoded(parent, request.deployment, stored))

    def _encoded(self, parent: Parent, name: str, stored: VersionsOf) -> pb.Deployment:
        rollouts = [it for it in stored.rollouts if it.deployment == name]
        rollout = rollouts[0] if rollouts else Rollout(parent, name)
        current = self._deployments.current(parent, name, stored)
        states = _States(current, rollout.ramping if rollouts else None)
        workers = self._deployments.workers(parent)
        message = pb.Deployment(
            deployment=name,
            automatic=not rollouts,
            current_version=rollout.current,
            ramping_version=rollout.ramping,
            ramping_percent=rollout.percent,
            etag=rollout.etag,
        )
        versions = [it for it in stored.seen if it.deployment == name]
        for it in sorted(versions, key=lambda it: -it.number)[:MOST_VERSIONS]:
            message.versions.add(
                version=it.version,
                state=states.of(it.version),
                workers=workers[it.release],
                turns=stored.turns.get(it.release, 0),
                first_seen_time=timestamp(it.first_seen_us),
            )
        return message


@dataclass(frozen=True, slots=True)
class _States:
    """Which are current, and ramping."""

    current: str | None
    ramping: str | None

    def of(self, version: str) -> pb.VersionState.ValueType:
        """A version's."""
        if version == self.current:
            return pb.VERSION_STATE_CURRENT
        ramps = version == self.ramping
        return pb.VERSION_STATE_RAMPING if ramps else pb.VERSION_STATE_DRAINING


def _names(stored: VersionsOf) -> set[str]:
    return {it.deployment for it in stored.seen} | {it.deployment for it in stored.rollouts}
