"""A real server, in a process that can be killed and started again where it was."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from antiphon_client import ApiKey, Client, Tls
from tests.e2e.process import COMMAND, OwnProcess, healthy
from tests.e2e.until import PATIENCE_S
from tests.proofs.bench.processes import ROOT, free_port

_SHARES = {"turns": 1000, "running": 1000, "streams": 4000, "user": 1, "workspace": 1}
ONE_FOR_MANY = {"ANTIPHON_SHARES": json.dumps(_SHARES)}
"""Where one user does what many do: the counts of one are not what is looked at."""


def openai_model(name: str, base_url: str, **more: Any) -> dict[str, Any]:
    """Settings of a model on the OpenAI wire: the provider is told the name's second part."""
    return {"name": name, "kind": "openai", "base_url": base_url, **more}


class ServerProcess(OwnProcess):
    """``antiphon up`` on one port and one data directory, over any number of lives.

    ``command`` runs the command line's program in its place, under a
    tracer or with a defect, in ``cwd``, and ``verb`` is what it is told to do. ``tls`` is how
    clients trust it where the variables give it a certificate.
    """

    def __init__(
        self,
        home: Path,
        *,
        models: Sequence[Mapping[str, Any]] = (),
        model: str = "",
        variables: Mapping[str, str] | None = None,
        command: Sequence[str] = COMMAND,
        verb: Sequence[str] = ("up",),
        tls: Tls | None = None,
        cwd: Path = ROOT,
        port: int = 0,
    ) -> None:
        self.port = port or free_port()
        self.data_dir = home / "data"
        self._tls = tls
        options = {
            "port": str(self.port),
            "admin-port": "0",
            "model": model or (str(models[0]["name"]) if models else "scripted/test"),
            "data-dir": str(self.data_dir),
            "log-level": "warning",
            "log-format": "json",
        }
        told = [part for name, value in options.items() for part in (f"--{name}", value)]
        given = {"ANTIPHON_MODELS": json.dumps(list(models)), **(variables or {})}
        super().__init__((*command, *verb, *told), given, home / "server.log", cwd)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{'https://' if self._tls else ''}127.0.0.1:{self.port}"

    @property
    def key(self) -> ApiKey:
        """The local operator's credential."""
        return ApiKey((self.data_dir / "operator.key").read_text().strip())

    def client(self, credentials: ApiKey | None = None, deadline: float = PATIENCE_S) -> Client:
        """A client that speaks for the local operator."""
        whom = credentials or self.key
        return Client.connect(self.address, whom, tls=self._tls, deadline=deadline)

    async def serves(self) -> bool:
        """Whether its health says SERVING."""
        return await healthy(self.address, self._tls)
