"""What a list of rules changes in another."""

from collections.abc import Sequence
from typing import Any

from antiphon_server.cli.encoding import as_dict


def changes(before: Sequence[Any], after: Sequence[Any]) -> list[str]:
    """A line for each rule that is added, removed or changed, with the fields that are."""
    old, new = ({it.name: it for it in rules} for rules in (before, after))
    lines = [f"+ {name}" for name in new if name not in old]
    lines += [f"- {name}" for name in old if name not in new]
    for name in new.keys() & old.keys():
        if new[name] != old[name]:
            lines.append(f"~ {name}: {', '.join(_differing(old[name], new[name]))}")
    kept = [it for it in old if it in new]
    if kept != [it for it in new if it in old]:
        lines.append("~ their order")
    return sorted(lines, key=lambda line: (line == "~ their order", line[2:]))


def _differing(old: Any, new: Any) -> list[str]:
    """By what they say in JSON, where an empty message is more than none."""
    before, after = as_dict(old), as_dict(new)
    names = (it.name for it in old.DESCRIPTOR.fields)
    return [it for it in names if before.get(it) != after.get(it)]
