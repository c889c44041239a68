"""``antiphon memory entities``: names are listed, corrected, put together and taken apart."""

import json
from subprocess import CompletedProcess
from typing import Any

from tests.cli.conftest import Run


def _objects(told: "CompletedProcess[str]") -> list[Any]:
    """What was printed as JSON."""
    assert told.returncode == 0, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()]


def test_one_is_made_corrected_merged_split_and_deleted(antiphon: Run) -> None:
    """By its id, as the list says; what a memory has named is among them."""

    def entities(*said: str) -> "CompletedProcess[str]":
        return antiphon("memory", "entities", *said)

    antiphon("memory", "add", "Zoe plays the oboe", "--name", "Zoe")
    (zoe,) = _objects(entities("search", "zo", "--json"))
    (weber,) = _objects(
        entities("add", "Zoe Weber", "--type", "person", "--alias", "Zozo", "--json")
    )
    assert entities("correct", weber["entity_id"]).returncode == 1
    told = entities(
        *("correct", weber["entity_id"], "--name", "Zoe Maria Weber", "--without", "Zozo"),
        *("--alias", "Zette", "--type", "other"),
    )
    assert told.stderr == f"{weber['entity_id']} is corrected.\n"
    merged = entities("merge", weber["entity_id"], zoe["entity_id"])
    assert merged.stderr == "Zoe Maria Weber is also Zette, Zoe Weber, Zoe.\n"
    shown = entities("show", weber["entity_id"]).stdout
    assert f"merged   {zoe['entity_id']}, Zoe, by users/" in shown
    assert "\nin       mem_" in shown
    (row,) = [it for it in entities("list", "-t", "other").stdout.splitlines() if "Zette" in it]
    assert row.split("  ")[0] == weber["entity_id"]
    assert entities("list", "-t", "place", "--json").stdout == ""
    assert entities("list", "-t", "place").stderr == "Nothing here is of that type.\n"
    assert entities("search", "zzz").stderr == "Nothing here is called like zzz.\n"
    apart = entities("split", weber["entity_id"], "--merged", zoe["entity_id"])
    assert apart.stderr.endswith(f"{zoe['entity_id']} is Zoe.\n")
    other = entities("split", weber["entity_id"], "--name", "Zette")
    assert other.stderr.endswith(" is Zette.\n")
    assert entities("delete", zoe["entity_id"]).stderr == f"{zoe['entity_id']} is deleted.\n"
    (left,) = _objects(entities("show", zoe["entity_id"], "--json"))
    assert (left["state"], left["mentions"]) == ("ENTITY_STATE_DELETED", [])
    told = antiphon("audit", "tail", "--kind", "entity_deleted", "--json")
    assert zoe["entity_id"] in told.stdout
