"""What a guide starts in a terminal of its own, exactly as it says."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.e2e.process import OwnProcess, healthy, listens


class Followed(OwnProcess):
    """A block whose last command goes on: a server, or what else listens at ``port``.

    Nothing is added to what the block says but ``variables``, which are the reader's home and the
    ports that are free there; it is run in their ``folder``.
    """

    forked = False

    def __init__(
        self,
        block: Sequence[str],
        variables: Mapping[str, str],
        log: Path,
        folder: Path,
        port: int,
        *,
        is_server: bool = True,
    ) -> None:
        *before, begins = block
        script = "\n".join([*before, f"exec {begins}"])
        super().__init__(("bash", "-c", script), variables, log, folder)
        self._port, self._is_server = port, is_server

    async def serves(self) -> bool:
        """A server says so by its health, anything else by listening."""
        if self._is_server:
            return await healthy(f"127.0.0.1:{self._port}")
        return await listens(self._port)
