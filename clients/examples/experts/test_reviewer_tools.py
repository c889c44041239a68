"""ruff and mypy on diffs, hostile ones among them."""

import asyncio
import sys
import time
from pathlib import Path

import psutil
import pytest
from experts.reviewer import tools
from experts.reviewer.diff import changes
from experts.reviewer.judging import Judged
from experts.reviewer.looking import looking
from experts.reviewer.mypy_settings import mypy_settings
from experts.reviewer.running import MAX_OUTPUT, DidNotEnd, run
from experts.reviewer.tools import ToolFailed
from test_reviewer import one_file

OLD = '''"""Sums."""
import os


def add(one: int, other: int) -> int:
    return one + other


def wrong() -> int:
    return "no"


def caller() -> int:
    return add(1, 2)
'''
DIFF = """--- a/sums.py
+++ b/sums.py
@@ -1,6 +1,9 @@
 \"\"\"Sums.\"\"\"
 import os
+import sys


-def add(one: int, other: int) -> int:
-    return one + other
+def add(one: int, other: int) -> str:
+    total: str = one + other
+    return total
+
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with one file."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "sums.py").write_text(OLD)
    return folder


async def looked(checkout: Path, diff: str) -> dict[str, Judged]:
    async with looking(checkout, changes(diff)) as place:
        return {tool: await place.look(tool) for tool in ("ruff", "mypy")}


async def test_what_tools_say_of_a_diff(checkout: Path) -> None:
    """On its lines, on others because of it, and what was there before."""
    found = await looked(checkout, DIFF)
    ruff, mypy = found["ruff"], found["mypy"]
    assert [(it.line, it.code) for it in ruff.added] == [(3, "F401")]
    assert [(it.line, it.code) for it in ruff.before] == [(2, "F401")]
    assert [(it.line, it.code) for it in mypy.added] == [(7, "assignment")]
    assert [(it.line, it.code) for it in mypy.caused] == [(17, "return-value")]
    assert [(it.line, it.code) for it in mypy.before] == [(13, "return-value")]


async def test_a_diff_that_does_not_parse(checkout: Path) -> None:
    """Is a finding, and no failure."""
    found = await looked(checkout, one_file("broken.py", "def ("))
    assert found["ruff"].added
    assert found["mypy"].added


async def test_the_checkout_s_settings_hold(checkout: Path) -> None:
    """Of both tools."""
    (checkout / "pyproject.toml").write_text(
        '[tool.ruff.lint]\nselect = ["D"]\n[tool.mypy]\nstrict = true\n'
    )
    found = await looked(checkout, one_file("more.py", "def f(x):", "    return x"))
    assert {it.code[0] for it in found["ruff"].added} == {"D"}
    assert [it.code for it in found["mypy"].added] == ["no-untyped-def"]


RUNS = (
    "import pathlib",
    "pathlib.Path({marker!r}).touch()",
    "def plugin(version): raise SystemExit",
)
SHADOWS = ["mypy.py", "mypy/__init__.py", "ruff.py", "ruff/__main__.py", "json.py", "tomllib.py"]
SHADOWS += [
    "sitecustomize.py",
    "usercustomize.py",
    "typing_extensions.py",
    "plug.py",
    "conftest.py",
]


@pytest.mark.parametrize("name", SHADOWS)
async def test_nothing_of_a_diff_is_run(checkout: Path, tmp_path: Path, name: str) -> None:
    """Whatever it is called: not as a module of the tools, nor as a plugin of the checkout's."""
    marker = tmp_path / "run"
    (checkout / "pyproject.toml").write_text('[tool.mypy]\nplugins = ["plug", "./plug.py"]\n')
    diff = one_file(name, *(line.format(marker=str(marker)) for line in RUNS))
    diff += one_file(
        "fine.py", "# mypy: plugins=plug", "# mypy: disallow-untyped-defs", "import os"
    )
    found = await looked(checkout, diff)
    assert "F401" in {it.code for it in found["ruff"].added}
    assert not marker.exists()


def test_what_mypy_is_told(checkout: Path) -> None:
    """Of the checkout's settings those that run nothing and write nothing."""
    (checkout / "lib").mkdir()
    (checkout / "pyproject.toml").write_text(
        "[tool.mypy]\nstrict = true\nplugins = ['x']\npython_executable = '/x'\n"
        "html_report = '/x'\ncache_dir = '/x'\nmypy_path = ['lib', '/etc', '../..']\n"
        "custom_typeshed_dir = '/x'\nshadow_file = ['a', 'b']\ninstall_types = true\n"
        "[[tool.mypy.overrides]]\nmodule = ['a.*']\nignore_missing_imports = true\n"
        "plugins = ['x']\n"
    )
    assert mypy_settings(checkout).splitlines() == [
        "[tool.mypy]",
        'mypy_path = ["lib"]',
        "strict = true",
        "[[tool.mypy.overrides]]",
        'module = ["a.*"]',
        "ignore_missing_imports = true",
    ]


async def test_keys_are_not_for_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program has nothing of the worker's environment."""
    monkeypatch.setenv("ANTIPHON_API_KEY", "secret")
    command = (sys.executable, "-c", "import os; print(sorted(os.environ))")
    ran = await run(command, tmp_path, tmp_path, 30)
    assert "ANTIPHON" not in ran.output
    assert "HOME" in ran.output


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("import time; time.sleep(60)", "took longer than"),
        (f"print('x' * {MAX_OUTPUT + 1})", "said too much"),
    ],
)
async def test_programs_are_bounded(tmp_path: Path, program: str, why: str) -> None:
    """In time and words, and what is too much is ended."""
    began = time.monotonic()
    with pytest.raises(DidNotEnd, match=why):
        await run((sys.executable, "-c", program), tmp_path, tmp_path, 2)
    assert time.monotonic() - began < 20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds another process")
async def test_memory_is_bounded(tmp_path: Path) -> None:
    """A program can't take the machine's."""
    ran = await run((sys.executable, "-c", "bytearray(5 * 10**9)"), tmp_path, tmp_path, 30)
    assert "MemoryError" in ran.output


async def test_a_stopped_turn_leaves_no_program(tmp_path: Path) -> None:
    """Nor its children."""
    command = ("sh", "-c", "sleep 60; true")
    others = set(psutil.Process().children(recursive=True))  # such as a server of other tests
    task = asyncio.create_task(run(command, tmp_path, tmp_path, 60))
    children: set[psutil.Process] = set()
    async with asyncio.timeout(30):
        while len(children) < 2:
            await asyncio.sleep(0.05)
            children = set(psutil.Process().children(recursive=True)) - others
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert psutil.wait_procs(children, 10)[1] == []


async def test_a_tool_that_fails_says_why(checkout: Path) -> None:
    """With its own words."""
    (checkout / "pyproject.toml").write_text("[tool.ruff]\nnonsense = 1\n")
    with pytest.raises(ToolFailed, match="nonsense"):
        await looked(checkout, DIFF)


async def test_a_tool_that_takes_too_long(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is ended, and that is said."""
    monkeypatch.setattr(tools, "SECONDS", 0.01)
    with pytest.raises(ToolFailed, match="longer"):
        await looked(checkout, DIFF)


async def test_the_place_is_gone_afterwards(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the turn is stopped while it is made."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    await looked(checkout, one_file("x.py", "x = 1"))
    assert list(temporary.iterdir()) == []
    task = asyncio.create_task(looked(checkout, DIFF))
    async with asyncio.timeout(30):
        while not list(temporary.iterdir()):  # noqa: ASYNC110 - a thread makes it
            await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(temporary.iterdir()) == []
