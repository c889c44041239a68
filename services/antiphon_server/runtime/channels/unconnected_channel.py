"""What channels have in common that have no connection of their own."""

from types import TracebackType
from typing import Self

import grpc


class UnconnectedChannel(grpc.aio.Channel):
    """Has no one state: each call says for itself whether it gets through."""

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """READY, whatever becomes of a call."""
        return grpc.ChannelConnectivity.READY

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Raise UsageError: there is no one state."""
        raise grpc.aio.UsageError("this channel has no one state")

    async def channel_ready(self) -> None:
        """Return at once."""

    async def __aenter__(self) -> Self:
        """Use the channel for a block."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        """Close it."""
        await self.close()
