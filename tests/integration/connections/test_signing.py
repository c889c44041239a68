"""What signs a call never becomes words of a library."""

import pytest

from antiphon_server.integration.connections.adapters.signing import OperatorSecrets, signature
from antiphon_server.integration.connections.model import (
    Bearer,
    Connection,
    Credential,
    Header,
    Mcp,
)
from antiphon_server.integration.secrets.model import SecretName
from antiphon_server.integration.tools.model import SourceName
from antiphon_server.runtime.errors import DomainError, Reason

IT = SecretName("it")


@pytest.mark.parametrize("credential", [Bearer(IT), Header("X-Token", IT)])
@pytest.mark.parametrize("value", ["c4nary\n", "c4nary\r\nX-More: 1", "c4nary-é", " c4nary"])
async def test_what_no_header_can_have_is_refused(credential: Credential, value: str) -> None:
    """An operator's token is not checked when it is read; it is when it is sent."""
    secrets = OperatorSecrets({IT: value}, OperatorSecrets({}, None))  # type: ignore[arg-type]
    wiki = Connection("", SourceName("wiki"), Mcp("https://wiki.example"), credential=credential)
    with pytest.raises(DomainError) as refused:
        await signature(wiki, secrets)
    assert refused.value.reason is Reason.NOT_FOUND
    assert "c4nary" not in str(refused.value)
