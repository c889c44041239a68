"""What the reviewer reads out of a diff, and what it makes of it."""

import os
from pathlib import Path

import pytest
from experts.reviewer.applying import Applied, applied
from experts.reviewer.checkout import Copies, copies
from experts.reviewer.diff import MAX_CHARACTERS, MAX_FILES, Change, Hunk, changes, diff_in
from experts.reviewer.judging import Judged, judged
from experts.reviewer.refusals import Refused
from experts.reviewer.tools import Finding
from experts.reviewer.words import MAX_DIFF, MAX_SHOWN, report, task, told

DIFF = """diff --git a/pkg/one.py b/pkg/one.py
index 1111111..2222222 100644
--- a/pkg/one.py
+++ b/pkg/one.py
@@ -1,3 +1,4 @@ def context():
 first
-second
+another
+one more
 third
diff --git a/new.py b/new.py
new file mode 100644
index 0000000..3333333
--- /dev/null
+++ b/new.py
@@ -0,0 +1 @@
+new
\\ No newline at end of file
diff --git a/old.py b/old.py
deleted file mode 100644
--- a/old.py
+++ /dev/null
@@ -1 +0,0 @@
-old
diff --git a/a.py b/b.py
similarity index 100%
rename from a.py
rename to b.py
diff --git a/logo.png b/logo.png
Binary files a/logo.png and b/logo.png differ
"""
CHANGES = [
    Change(
        "pkg/one.py",
        "pkg/one.py",
        [Hunk(1, (" first", "-second", "+another", "+one more", " third"))],
    ),
    Change("", "new.py", [Hunk(1, ("+new",))]),
    Change("old.py", "", [Hunk(1, ("-old",))]),
    Change("a.py", "b.py"),
]


def one_file(path: str, *lines: str, before: str = "") -> str:
    """A diff that makes a file."""
    text = "".join(f"+{line}\n" for line in lines)
    return f"{before}--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{len(lines)} @@\n{text}"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_diff_of_git(end: str) -> None:
    """Changed, new, removed and renamed files; whatever else stands there is passed over."""
    assert changes(DIFF.replace("\n", end)) == CHANGES


def test_a_diff_of_diff() -> None:
    """Names may have no prefixes, and times behind them."""
    text = "--- one.py\t2026-01-01 10:00\n+++ one.py\t2026-01-02\n@@ -1 +1 @@\n-a\n+b\n"
    assert changes(text) == [Change("one.py", "one.py", [Hunk(1, ("-a", "+b"))])]


def test_an_empty_line_may_have_lost_its_space() -> None:
    """As editors and messages do to lines that are kept."""
    text = "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,3 @@\n a\n\n+b\n"
    assert changes(text)[0].hunks == [Hunk(1, (" a", " ", "+b"))]


@pytest.mark.parametrize(
    "message",
    [
        DIFF,
        f"Please review this:\n\n{DIFF}",
        f"Please review:\n\n```diff\n{DIFF}```\n\nThanks!",
        f"~~~~\n{DIFF}~~~~",
        f"```python\nx = 1\n```\n\n```\n{DIFF}```",
    ],
)
def test_a_message_has_a_diff(message: str) -> None:
    """As it is, behind words, or in a block."""
    assert changes(diff_in(message)) == CHANGES


@pytest.mark.parametrize("message", ["", "Hello", "--- a rule\n\ntext", "```python\nx = 1\n```"])
def test_a_message_has_none(message: str) -> None:
    assert diff_in(message) == ""


@pytest.mark.parametrize(
    "path",
    [
        "/etc/cron.d/x.py",
        "../x.py",
        "pkg/../../x.py",
        "./x.py",
        "pkg//x.py",
        "C:/x.py",
        "C:x.py",
        "pkg\\..\\x.py",
        "x\x00.py",
        '"x\\ny.py"',
        ".git/hooks/x.py",
        "sub/.GIT/config",
        "x" * 201,
        "/".join(["x" * 20] * 30),
        "",
    ],
)
@pytest.mark.parametrize("side", ["old", "new", "rename"])
def test_paths_that_lead_elsewhere(path: str, side: str) -> None:
    """Refused, on whichever side they stand."""
    text = {
        "old": f"--- a/{path}\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n",
        "new": f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n",
        "rename": f"diff --git a/x b/y\nrename from x.py\nrename to {path}\n",
    }[side]
    with pytest.raises(Refused):
        changes(text)


@pytest.mark.parametrize(
    "header",
    [
        "new file mode 120000",
        "new mode 120000",
        "index 1111111..2222222 120000",
        "new file mode 160000",
    ],
)
def test_no_links(header: str) -> None:
    """A link is no file: whoever writes to it writes elsewhere."""
    with pytest.raises(Refused, match="link or a submodule"):
        changes(one_file("x.py", "/etc/passwd", before=f"diff --git a/x.py b/x.py\n{header}\n"))


@pytest.mark.parametrize(
    "text",
    [
        "--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n a\n",
        "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n a\n-b\n".replace("1 +1", "1 +0,0"),
        "--- a/x.py\n+++ b/x.py\n@@ nonsense @@\n a\n",
        "--- a/x.py\n+++ b/x.py\n@@ -1,9999999999 +1 @@\n a\n",
        "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n a\n?\n",
        "--- /dev/null\n+++ /dev/null\n",
        "".join(one_file(f"{number}.py", "x") for number in range(MAX_FILES + 1)),
        one_file("x.py", "x" * MAX_CHARACTERS),
    ],
)
def test_what_is_no_diff(text: str) -> None:
    """Nothing is guessed, and nothing is too large."""
    with pytest.raises(Refused):
        changes(text)


def test_hunks_are_applied() -> None:
    """What was added is known, and where the rest was."""
    hunks = [Hunk(2, (" b", "-c", "+C", "+D")), Hunk(5, (" e", "+F"))]
    assert applied("x", ["a", "b", "c", "d", "e"], hunks) == Applied(
        ["a", "b", "C", "D", "d", "e", "F"], {3, 4, 7}, {1: 1, 2: 2, 5: 4, 6: 5}
    )


def test_hunks_may_have_moved() -> None:
    """By some lines; the nearest place counts, and none before that of the hunk before."""
    old = ["x"] * 10 + ["a", "b"] + ["y"] * 10
    assert applied("x", old, [Hunk(3, (" a", "-b", "+B"))]).lines[10:12] == ["a", "B"]
    with pytest.raises(Refused, match=r"does not fit x.py at line 3"):
        applied("x.py", old, [Hunk(11, (" a",)), Hunk(3, ("-a",))])


@pytest.mark.parametrize("start", [0, 4, 400])
def test_what_does_not_fit(start: int) -> None:
    """Is refused."""
    with pytest.raises(Refused, match="does not fit"):
        applied("x.py", ["a", "b"], [Hunk(start, ("+c",))])


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with some Python in it, and more."""
    folder = tmp_path / "checkout"
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg" / "one.py").write_text("first\r\nsecond\r\nthird\r\n")
    (folder / "old.py").write_text("old\n")
    (folder / "a.py").write_text("a = 1\n")
    (folder / "pyproject.toml").write_text("[tool.ruff]\n")
    (folder / "README.md").write_text("# Read me\n")
    return folder


def applied_to(checkout: Path, diff: str, where: Path) -> Copies:
    where.mkdir(exist_ok=True)
    return copies(checkout, changes(diff), where)


def names(folder: Path) -> list[str]:
    return sorted(it.relative_to(folder).as_posix() for it in folder.rglob("*") if it.is_file())


def test_a_copy_is_changed(checkout: Path, tmp_path: Path) -> None:
    """And the checkout is not."""
    both = applied_to(checkout, DIFF, tmp_path / "work")
    assert names(both.before) == ["a.py", "old.py", "pkg/one.py", "pyproject.toml"]
    assert names(both.after) == ["b.py", "new.py", "pkg/one.py", "pyproject.toml"]
    assert (both.after / "pkg" / "one.py").read_text() == "first\nanother\none more\nthird\n"
    assert sorted(both.files) == ["b.py", "new.py", "pkg/one.py"]
    assert both.old_names == {"pkg/one.py": "pkg/one.py", "a.py": "b.py"}
    assert (checkout / "old.py").exists()


def test_settings_are_the_checkout_s(checkout: Path, tmp_path: Path) -> None:
    """What a diff says of them is not applied."""
    diff = one_file("ruff.toml", "x") + one_file("pkg/pyproject.toml", "x") + one_file("x.py", "x")
    both = applied_to(checkout, diff, tmp_path / "work")
    assert set(names(both.after)) - set(names(both.before)) == {"x.py"}


def test_links_are_not_copied(checkout: Path, tmp_path: Path) -> None:
    """So nothing is read or written through one."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("secret\n")
    (checkout / "link.py").symlink_to(outside / "secret.py")
    (checkout / "linked").symlink_to(outside)
    os.mkfifo(checkout / "pipe.py")
    diff = one_file("linked/made.py", "x")
    both = applied_to(checkout, diff, tmp_path / "work")
    assert "link.py" not in names(both.before)
    assert (both.after / "linked" / "made.py").exists()
    assert names(outside) == ["secret.py"]
    changed = "--- a/link.py\n+++ b/link.py\n@@ -1 +1 @@\n-secret\n+known\n"
    with pytest.raises(Refused, match=r"no link.py"):
        applied_to(checkout, changed, tmp_path / "more")


@pytest.mark.parametrize(
    "diff",
    [
        one_file("a.py", "x"),
        one_file("a.py/b.py", "x"),
        one_file("pkg", "x").replace("b/pkg", "b/pkg/one.py/x.py"),
        "--- a/none.py\n+++ b/none.py\n@@ -1 +1 @@\n-a\n+b\n",
        "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-other\n+b\n",
    ],
)
def test_a_diff_of_another_checkout(checkout: Path, tmp_path: Path, diff: str) -> None:
    """Is refused, in words for people."""
    with pytest.raises(Refused):
        applied_to(checkout, diff, tmp_path / "work")


def finding(line: int, message: str = "bad", path: str = "new.py") -> Finding:
    return Finding("ruff", path, line, "X1", message)


def test_findings_are_told_apart(tmp_path: Path) -> None:
    """By the lines that a diff adds, and by what was there, wherever it is now."""
    file = Applied(["a", "b", "c", "d"], {2}, {1: 1, 3: 2, 4: 3})
    both = Copies(tmp_path, tmp_path, {"new.py": file}, {"old.py": "new.py"})
    before = [finding(2, "see line 7", "old.py"), finding(9, path="other.py")]
    after = [finding(2), finding(3, "see line 8"), finding(4), finding(9, path="other.py")]
    assert judged(before, after, both) == Judged([after[0]], [after[2]], [after[1], after[3]])


def test_one_that_was_there_excuses_one() -> None:
    """And not two alike."""
    file = Applied(["a"], set(), {1: 1})
    both = Copies(Path(), Path(), {"x.py": file}, {"x.py": "x.py"})
    same = finding(1, path="x.py")
    assert judged([same], [same, same], both) == Judged([], [same], [same])


def test_the_report() -> None:
    """Everything that the diff has to do with."""
    text = report(
        Judged([finding(2, "it's `bad`\n![x](y)")], [finding(4)], [finding(5)]),
        [Change("", "x.py"), Change("", "README.md")],
        {"mypy": "took longer than 120 s"},
    )
    assert text == (
        "**mypy could not look at it:** `took longer than 120 s`\n\n"
        "**On lines that the diff adds:**\n\n- `new.py:2` ruff X1: `it's 'bad' ![x](y)`\n\n"
        "**On other lines, because of the diff:**\n\n- `new.py:4` ruff X1: `bad`\n\n"
        "1 finding was there before.\n\n"
        "Neither applied nor looked at, being no Python: `README.md`."
    )
    assert report(Judged(), [], {}) == "ruff and mypy find nothing in what the diff adds."
    many = report(Judged([finding(1)] * (MAX_SHOWN + 2)), [], {})
    assert "- and 2 more" in many


def test_what_people_and_models_are_told() -> None:
    """A summary, and no more of a diff than a model reads."""
    assert told(Judged([finding(1)])) == (
        "1 on lines that the diff adds, 0 because of it, 0 there before\nnew.py:1 X1 bad"
    )
    assert "left out" in task("x" * (MAX_DIFF + 1), "")
    assert "left out" not in task("x" * MAX_DIFF, "")
