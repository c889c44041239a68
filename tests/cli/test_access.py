"""``antiphon access``, as an operator meets it."""

import asyncio
import json

import pytest

from antiphon.auth.v1.access_pb2 import ROLE_VIEWER
from tests.cli.conftest import Home, Run


@pytest.fixture(scope="module")
def conversation(shared_home: Home, address: str) -> str:
    """A conversation that a user called vera may read."""

    async def made() -> str:
        async with shared_home.client(address) as client:
            vera = await client.create_user("vera", "correct horse battery")
            conversation = await client.create_conversation()
            await client.add_member(conversation.conversation_id, vera.user_id, ROLE_VIEWER)
            return conversation.conversation_id

    return asyncio.run(made())


def test_a_refusal_is_explained_step_by_step(antiphon: Run, conversation: str) -> None:
    """What it needs, what there is, what comes of it; a script sees the exit code."""
    shown = antiphon("access", "explain", "vera", "PostMessage", conversation)
    assert (shown.returncode, shown.stdout.splitlines()) == (
        3,
        [
            "- the credential has no limits",
            f"- PostMessage needs WRITE on {conversation}; vera is VIEWER there "
            f"through {conversation}",
            "refused: PERMISSION_DENIED",
        ],
    )


def test_what_is_allowed_is_explained_too(antiphon: Run, conversation: str) -> None:
    """And a limited key is asked about without making one."""
    shown = antiphon("access", "explain", "Vera", "ContextService/ListMessages", conversation)
    assert (shown.returncode, shown.stdout.splitlines()[-1]) == (0, "allowed")
    shown = antiphon(
        "access", "explain", "vera", "ListMessages", conversation, "--scope", "write", "--json"
    )
    told = json.loads(shown.stdout)
    assert (shown.returncode, told["allowed"], told["reason"]) == (3, False, "SCOPE_MISSING")
    assert told["rpc"]["scope"] == "SCOPE_READ"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (("vera", "PostMesage"), "no RPC is called PostMesage; did you mean PostMessage"),
        (("nobody", "PostMessage"), "there is no user nobody; `antiphon users list` shows"),
        (
            ("vera", "PostMessage", "--scope", "post"),
            "there is no scope 'post'; the scopes are read, write",
        ),
    ],
)
def test_a_mistake_is_told_with_what_to_do(
    antiphon: Run, wrong: tuple[str, ...], sentence: str
) -> None:
    """The nearest names, or all that there are."""
    shown = antiphon("access", "explain", *wrong)
    assert shown.returncode == 1
    assert sentence in shown.stderr


def test_every_rpc_is_listed(antiphon: Run) -> None:
    """By name, with its permission, its scope and where the resource stands."""
    headings, *lines = antiphon("access", "list").stdout.splitlines()
    assert headings.split() == ["rpc", "needs", "scope", "on"]
    found = [line.split() for line in lines if "ContextService/UpdateWorkspace " in line]
    assert found == [
        [
            "antiphon.context.v1.ContextService/UpdateWorkspace",
            "MANAGE",
            "MANAGE",
            "workspace.workspace_id",
        ]
    ]
    listed = [json.loads(line) for line in antiphon("access", "list", "--json").stdout.splitlines()]
    assert len(listed) == len(lines) > 60
