"""A real identity provider, the package oidc-provider-mock, on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

import oidc_provider_mock
import pytest


@contextmanager
def provided() -> Iterator[str]:
    """Run one in a thread, on a free port, with one user, Ann; its address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
        ann = oidc_provider_mock.User(sub="ann", claims={"email": "ann@example.org"})
        with oidc_provider_mock.run_server_in_thread(user_claims=[ann]) as server:
            yield f"http://localhost:{server.server_port}"
