"""The tasks: what is asked, which tools there are, and how it is seen that it was done."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

BUILT_IN = ("antiphon.time", "antiphon.search")
CLOCK = ("clock.get_current_time", "clock.convert_time")
FILES = ("files.read_text_file", "files.write_file", "files.list_directory")
REST = ("web.get_uuid", "web.get_json", "web.get_base64_value", "web.get_status_codes")
TOOLS = (*BUILT_IN, *CLOCK, *FILES, *REST)
"""All tasks have all of them: which one to take is a part of the task."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a task: the answer, and all results of tools that succeeded."""

    answer: str
    results: str


@dataclass(frozen=True, slots=True)
class Task:
    """A question, the tool that it is about, and whether what came of it is right.

    ``before`` was said in the conversation earlier.
    """

    question: str
    tool: str
    done: Callable[[Told], bool]
    before: tuple[str, ...] = ()


def tasks(folder: Path) -> list[Task]:
    """The ten; some are about files in this folder, which has two of them."""
    (folder / "pets.txt").write_text("The parrot is called Bartholomew.\n")
    (folder / "budget.txt").write_text("Rent: 1250 francs\n")
    new = folder / "list.txt"
    return [
        Task("What time is it in Tokyo right now?", "antiphon.time", _hour("Asia/Tokyo")),
        Task("Which day of the week is it in New York now?", "antiphon.time", _day),
        Task(
            "Search our conversation for the word invoice and tell me its number.",
            "antiphon.search",
            lambda told: "4711" in told.answer and "4711" in told.results,
            ("The invoice has the number 4711.", "Let us talk about something else."),
        ),
        Task(
            "It is 14:30 in Europe/Zurich. Convert that to Asia/Tokyo time.",
            "clock.convert_time",
            lambda told: bool(re.search(r"\b(22:30|21:30|10:30 PM|9:30 PM)", told.answer)),
        ),
        Task(
            f"Read the file {folder / 'pets.txt'} and tell me what the parrot is called.",
            "files.read_text_file",
            lambda told: "Bartholomew" in told.answer,
        ),
        Task(
            f"List the directory {folder} and name all files in it.",
            "files.list_directory",
            lambda told: "pets.txt" in told.answer and "budget.txt" in told.answer,
        ),
        Task(
            f"Write the text 'milk and eggs' into the file {new}.",
            "files.write_file",
            lambda _: new.exists() and "milk and eggs" in new.read_text(),
        ),
        Task(
            "Get a new UUID from the web service and tell it to me.",
            "web.get_uuid",
            lambda told: any(found in told.results for found in _uuids(told.answer)),
        ),
        Task(
            "Ask the web service for its sample JSON and tell me the slideshow's author.",
            "web.get_json",
            lambda told: "Yours Truly" in told.answer,
        ),
        Task(
            "Decode the base64 value QW50aXBob24gc2luZ3M= with the web service.",
            "web.get_base64_value",
            lambda told: "Antiphon sings" in told.answer,
        ),
    ]


def _hour(zone: str) -> Callable[[Told], bool]:
    def done(told: Told) -> bool:
        now = datetime.now(UTC).astimezone(ZoneInfo(zone))
        right = {now.hour, (now.hour - 1) % 24}  # a turn may take minutes
        said = re.findall(r"\b(\d{1,2}):\d\d(?::\d\d)?\s*([AaPp])?", told.answer)
        return any(_of_24(int(hour), half) in right for hour, half in said)

    return done


def _of_24(hour: int, half: str) -> int:
    if half.lower() == "p":
        return hour % 12 + 12
    return hour % 12 if half.lower() == "a" else hour


def _day(told: Told) -> bool:
    return f"{datetime.now(ZoneInfo('America/New_York')):%A}" in told.answer


def _uuids(text: str) -> list[str]:
    return re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text)
