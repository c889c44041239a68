"""What whoever runs a server is told at its terminal of a model that can't be asked."""

import asyncio
import json
import re
import subprocess

import pytest

from antiphon_client import Client, Password
from antiphon_server.cli.chat.faults import faults_of
from tests.cli.conftest import Home
from tests.fakes.openai_endpoint import FakeEndpoint

SECRET = "a long enough secret"


def once(home: Home, *options: str, **model: str) -> "subprocess.CompletedProcess[str]":
    described = {"name": "mine/x", "kind": "openai", **model}
    told = {"ANTIPHON_MODELS": json.dumps([described])}
    return home.run("chat", "--once", "hello", "-m", "mine/x", *options, timeout=120, **told)


def test_a_closed_port_is_named(home: Home) -> None:
    """With what the system said, once for all attempts, and without what may be a secret."""
    done = once(home, base_url="http://127.0.0.1:1/v1?key=hidden")
    assert done.returncode == 1
    assert done.stderr.count("mine/x: http://127.0.0.1:1/v1: Connection refused") == 1
    assert "hidden" not in done.stderr


def test_programs_are_told_the_same(home: Home) -> None:
    """In the answer's JSON, with the reason that they look for."""
    done = once(home, "--json", base_url="http://127.0.0.1:1/v1")
    answer = json.loads(done.stdout)
    assert answer["error"] == "MODEL_UNAVAILABLE"
    assert answer["explanation"].startswith("the model mine/x is not available now")
    assert answer["faults"] == ["mine/x: http://127.0.0.1:1/v1: Connection refused"]


async def test_what_a_provider_refuses_is_told_with_its_status(home: Home) -> None:
    """And the variable that should hold the key and does not."""
    async with FakeEndpoint() as endpoint:
        done = await asyncio.to_thread(
            once, home, base_url=endpoint.base_url, model="404", api_key_env="NO_KEY_OF_MINE"
        )
    assert "the model mine/x refused (HTTP 404): check its name, its key" in done.stderr
    assert "mine/x: the variable NO_KEY_OF_MINE holds no key" in done.stderr
    assert "mine/x: HTTP 404 · canary-4711" in done.stderr


def test_a_model_that_fails_too_often_is_left_alone(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People are told when it is asked again: by the answer, by the list, by the doctor."""
    model = {"name": "mine/x", "kind": "openai", "base_url": "http://127.0.0.1:1/v1"}
    monkeypatch.setenv("ANTIPHON_MODELS", json.dumps([model]))
    with home.server():
        for _ in range(2):  # three attempts each
            done = home.run("chat", "--once", "hello", "-m", "mine/x", timeout=60)
            assert "is not available now" in done.stderr or "failed too often" in done.stderr
        done = home.run("chat", "--once", "hello", "-m", "mine/x", timeout=60)
        assert re.search(r"mine/x has failed too often, so it is not asked for \d+ s", done.stderr)
        for command in ("models", "doctor"):
            shown = home.run(command).stdout
            assert re.search(r"mine/x.* is not asked for \d+ s, since it failed too often", shown)
            assert "http://127.0.0.1:1/v1: Connection refused" in shown


def test_an_operator_has_a_model_asked_no_more_and_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People are told so by the answer, the list and the doctor; programs in JSON."""
    monkeypatch.setenv("ANTIPHON_MODEL", "scripted/echo")
    with home.server():
        done = home.run("models", "open", "scripted/echo")
        said = "is not asked, since an operator said so"
        assert done.stdout.startswith(f"scripted/echo {said} (2")
        assert said in home.run("chat", "--once", "hello").stderr
        assert f"default, {said}" in home.run("models").stdout
        doctor = home.run("doctor")
        assert said in doctor.stdout
        assert "antiphon models close scripted/echo" in doctor.stdout
        assert json.loads(home.run("models", "--json").stdout)["breaker_by_hand"]
        done = home.run("models", "close", "scripted/echo", "--json")
        assert json.loads(done.stdout)["breaker"] == "BREAKER_STATE_CLOSED"
        assert home.run("chat", "--once", "hello").stdout.startswith("hello")
        assert home.run("models", "close", "no/model").returncode == 1


def test_a_list_of_models_is_asked_in_order(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer says of whom it is and why not of the first; a failure, that none answers."""
    down = {"kind": "openai", "base_url": "http://127.0.0.1:1/v1"}
    models = [{"name": name, **down} for name in ("mine/x", "mine/y")]
    monkeypatch.setenv("ANTIPHON_MODELS", json.dumps(models))
    monkeypatch.setenv("ANTIPHON_MODEL", "scripted/echo")
    with home.server():
        ask = ("chat", "--once", "hello", "-m", "mine/x", "-m")
        done = home.run(*ask, "scripted/echo")
        assert done.stdout.startswith("hello")
        assert done.stderr.endswith("\nscripted/echo · mine/x is not available\n")
        done = home.run(*ask, "scripted/echo", "--json")
        (skipped,) = json.loads(done.stdout)["skipped_models"]
        assert skipped == {"model": "mine/x", "error_reason": "MODEL_UNAVAILABLE"}
        done = home.run(*ask, "mine/y")
        assert "mine/x can't answer either: the model mine/y is not available now" in done.stderr
        assert "there is no model no/model" in home.run(*ask, "no/model").stderr
        done = home.run("chat", stdin="/model mine/x scripted/echo\nhello\n")
        assert "Asking mine/x, and where that fails scripted/echo from now on" in done.stderr
        assert "mine/x is not available" in done.stderr


def test_others_are_not_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a provider says is for operators alone, and so is where it is."""
    model = {"name": "mine/x", "kind": "openai", "base_url": "http://127.0.0.1:1/v1"}
    monkeypatch.setenv("ANTIPHON_MODELS", json.dumps([model]))
    with home.server() as address:
        asyncio.run(_anna_asks(home, address))


async def _anna_asks(home: Home, address: str) -> None:
    async with home.client(address) as operator:
        await operator.create_user("anna", SECRET)
    async with Client.connect(address, Password("anna", SECRET)) as anna:
        where = (await anna.create_conversation("x")).conversation_id
        async with anna.converse(where) as talk:
            result = await (await talk.post("hello", models=["mine/x"])).result()
        assert result.error is not None
        assert result.error.reason == "MODEL_UNAVAILABLE"
        assert await faults_of(anna, where, result.turn_id) == []


def test_an_address_without_http_is_a_wrong_setting(home: Home) -> None:
    """It says what to write, before anything is asked."""
    models = json.dumps([{"name": "mine/x", "kind": "openai", "base_url": "me:geheim@host:8000"}])
    done = home.run("up", "--port", "0", ANTIPHON_MODELS=models)
    assert done.returncode == 2
    assert "base_url: write http:// or https:// before the address" in done.stderr
    assert "geheim" not in done.stderr
