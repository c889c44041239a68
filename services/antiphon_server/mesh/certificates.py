"""The certificates that Envoys show, as their files have them now."""

from collections.abc import Mapping

from antiphon_server.mesh.model import PEERS, PUBLIC, Edge
from antiphon_server.runtime.net.tls import FollowedFiles, Pem


class Certificates:
    """What an edge shows to clients, and what to peers. Raises UnusableCertificate."""

    def __init__(self, edge: Edge) -> None:
        given = {PUBLIC: edge.tls, PEERS: edge.peers}
        self._followed = {name: FollowedFiles(files) for name, files in given.items() if files}
        self._found = {name: each.first for name, each in self._followed.items()}

    def found(self) -> Mapping[str, Pem]:
        """Those that are in use, by what they are for."""
        return self._found

    def renewed(self) -> bool:
        """Look at the files, which may block: whether one of them is to be used from now on."""
        changes = {name: each.renewed() for name, each in self._followed.items()}
        fresh = {name: pem for name, pem in changes.items() if pem is not None}
        self._found = {**self._found, **fresh}
        return bool(fresh)
