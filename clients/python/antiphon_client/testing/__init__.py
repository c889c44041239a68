"""For tests of programs that use the client: a real server, with a model that says what it is told.

The server is the package ``antiphon``, in a process of its own: installed beside the tests, or
named by ``command``. Fixtures for pytest are in :mod:`antiphon_client.testing.fixtures`.
"""

from antiphon_client.testing.server import DidNotStart, Server, running_server

__all__ = ["DidNotStart", "Server", "running_server"]
