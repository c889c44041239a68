"""What the researcher finds in a folder, and what it says of it."""

import asyncio
import os
import threading
from pathlib import Path

import pytest
from experts.researcher.__main__ import Researcher
from experts.researcher.citations import cited, quoted, sources, task
from experts.researcher.library import Library, words
from experts.researcher.sections import MAX_PASSAGE, Passage, passages, slug

GUIDE = """---
title: A guide
---
Before all.

# The Guide

Something about sailing.

## Install `it`

Type this:

```sh
# no heading, but a comment

install it
```

## Install it

Once more.

Under a line
------------

- a list

---

The end.
"""


def found(text: str) -> list[tuple[str, str]]:
    return [(it.place, it.text) for it in passages("a.md", text)]


def test_sections_have_places() -> None:
    """A heading's anchor is as on GitHub, the line is where the text begins."""
    assert found(GUIDE) == [
        ("a.md, line 4", "Before all."),
        ("a.md#the-guide, line 8", "Something about sailing."),
        (
            "a.md#install-it, line 12",
            "Type this:\n\n```sh\n# no heading, but a comment\n\ninstall it\n```",
        ),
        ("a.md#install-it-1, line 22", "Once more."),
        ("a.md#under-a-line, line 27", "- a list\n\n---\n\nThe end."),
    ]
    assert [it.trail for it in passages("a.md", GUIDE)][2:4] == [
        ("The Guide", "Install `it`"),
        ("The Guide", "Install it"),
    ]


def test_a_long_section_is_parted_between_paragraphs() -> None:
    """Each part has the line that it begins at."""
    paragraph = "word " * 100
    parts = found(f"# A\n\n{paragraph}\n\n{paragraph}\n\n{paragraph}\n")
    assert [place for place, _ in parts] == ["a.md#a, line 3", "a.md#a, line 5", "a.md#a, line 7"]


def test_a_passage_is_bounded() -> None:
    """Where no blank line comes, any line's end is taken."""
    parts = found("# A\n" + f"{'x' * 79}\n" * 200)
    assert max(len(text) for _, text in parts) <= 2 * MAX_PASSAGE + 80
    assert sum(text.count("\n") + 1 for _, text in parts) == 200


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("What a client has to do", "what-a-client-has-to-do"),
        ("Über `uv` & [links](x.md)!", "über-uv--links"),
        ("6. Folding: no hole", "6-folding-no-hole"),
    ],
)
def test_slugs(heading: str, anchor: str) -> None:
    """As GitHub makes them."""
    assert slug(heading) == anchor


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Some documents."""
    (tmp_path / "boats.md").write_text(
        "# Boats\n\nA sloop has one mast.\n\n## Ketches\n\nTwo masts.\n"
    )
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "birds.md").write_text("# Birds\n\nGulls follow boats.\n")
    (tmp_path / "notes.txt").write_text("A sloop is a boat.")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "sloop.md").write_text("# Sloop\n\nA sloop.\n")
    return tmp_path


def places(library: Library, question: str) -> list[str]:
    return [it.place for it in library.search(question)]


def test_the_best_comes_first(folder: Path) -> None:
    """Words are found in other forms, too; headings count for more."""
    library = Library(folder)
    assert places(library, "How many masts has a ketch?")[0] == "boats.md#ketches, line 7"
    assert places(library, "What do gulls do?") == ["deep/birds.md#birds, line 3"]
    assert places(library, "zebras") == []
    assert places(library, "?!") == []
    assert library.files == 2


@pytest.mark.parametrize("query", ['"', "NEAR(a b)", "body:x", "a* OR b", "sloop AND (", "'; --"])
def test_a_question_is_no_query(folder: Path, query: str) -> None:
    """What the index would take for its language are words like others."""
    Library(folder).search(query)


def test_what_changes_is_read_again(folder: Path) -> None:
    """New, other, and no more."""
    library = Library(folder)
    assert places(library, "sloop") == ["boats.md#boats, line 3"]
    (folder / "new.md").write_text("# Cutters\n\nA cutter has one mast and two foresails.\n")
    assert places(library, "cutter") == ["new.md#cutters, line 3"]
    (folder / "new.md").write_text("# Cutters\n\n\nNothing.\n")
    assert places(library, "foresails") == []
    assert places(library, "cutters") == ["new.md#cutters, line 4"]
    (folder / "new.md").unlink()
    assert places(library, "cutters") == []


def test_nothing_outside_is_read(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Links lead nowhere, and what may not be read is passed over."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.md").write_text("# Secret\n\nThe treasure.\n")
    (folder / "link.md").symlink_to(outside / "secret.md")
    (folder / "linked").symlink_to(outside)
    os.mkfifo(folder / "pipe.md")
    assert places(Library(folder), "treasure secret") == []


def test_words() -> None:
    """What stands everywhere is not searched for, unless there is nothing else."""
    assert words("How do I install the server?") == ["install", "server"]
    assert words("Who are you?") == ["who", "are", "you"]


TWO = [
    Passage("a.md", ("A", "B"), "b", 3, "First.\n\nMore."),
    Passage("c.md", (), "", 1, "Second."),
]


def test_quotes() -> None:
    """Each with its place."""
    assert quoted(TWO) == (
        "**A / B**\n\n> First.\n>\n> More.\n\na.md#b, line 3\n\n"
        "**c.md**\n\n> Second.\n\nc.md, line 1"
    )


def test_a_model_gets_numbers() -> None:
    """And the question last."""
    assert task("Why?", TWO) == (
        "[1] a.md: A / B\nFirst.\n\nMore.\n\n[2] c.md: \nSecond.\n\nQuestion: Why?"
    )


@pytest.mark.parametrize(
    ("answer", "numbers"),
    [
        ("So it is [1], and so [2][3].", {1, 2, 3}),
        ("Both [1, 2].", {1, 2}),
        ("items[0] and f()[1] are code", set()),
        ("[a] [] [1234]", set()),
        ("[4](http://x)", {4}),
    ],
)
def test_citations(answer: str, numbers: set[int]) -> None:
    """Numbers in brackets, behind no word."""
    assert cited(answer) == numbers


def test_sources_are_those_that_are_cited() -> None:
    """And they exist, or that is said."""
    assert sources("So [2].", TWO) == "\n\nSources:\n\n- [2] c.md, line 1"
    assert "Sources, but there is no [7]" in sources("So [1][7].", TWO)
    assert "given; there is no [7]" in sources("So [7].", TWO)
    nothing = sources("So.", TWO)
    assert "cites nothing" in nothing
    assert "[1] a.md#b, line 3" in nothing


class SlowLibrary(Library):
    """Searches for as long as it is told to, and counts how often at once."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.now = self.most = 0

    def search(self, question: str) -> list[Passage]:
        """Nothing is found."""
        self.now += 1
        self.most = max(self.most, self.now)
        self.begun.set()
        self.may_end.wait(10)
        self.now -= 1
        return []


async def _stopped_in_a_search(library: SlowLibrary) -> None:
    researcher = Researcher(library, model=False)
    first, second = (asyncio.create_task(researcher.search("what?")) for _ in range(2))
    await asyncio.to_thread(library.begun.wait, 10)
    first.cancel()
    await asyncio.sleep(0.1)
    library.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await second == []


def test_a_search_that_nobody_waits_for_ends_before_the_next(folder: Path) -> None:
    """Its thread can't be stopped."""
    library = SlowLibrary(folder)
    asyncio.run(_stopped_in_a_search(library))
    assert library.most == 1
