"""What findings have to do with a diff."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from experts.reviewer.checkout import Copies
from experts.reviewer.tools import Finding


@dataclass(slots=True)
class Judged:
    """Findings, by what the diff has to do with them."""

    added: list[Finding] = field(default_factory=list)
    """On lines that it adds."""
    caused: list[Finding] = field(default_factory=list)
    """On lines that it leaves as they were, which nothing was said of before."""
    before: list[Finding] = field(default_factory=list)
    """There before."""

    def add(self, other: "Judged") -> None:
        """Put another tool's behind."""
        self.added += other.added
        self.caused += other.caused
        self.before += other.before


def judged(before: Sequence[Finding], after: Sequence[Finding], copies: Copies) -> Judged:
    """Findings after the diff, compared with those before it: line by line, wherever it is now."""
    known = Counter(
        _same(replace(it, path=copies.old_names.get(it.path, it.path))) for it in before
    )
    result = Judged()
    for finding in after:
        file = copies.files.get(finding.path)
        was = _same(replace(finding, line=file.kept.get(finding.line, 0) if file else finding.line))
        if file and finding.line in file.added:
            result.added.append(finding)
        elif known[was]:
            known[was] -= 1
            result.before.append(finding)
        else:
            result.caused.append(finding)
    return result


def _same(finding: Finding) -> Finding:
    """But for the lines that its message names, which may have moved."""
    return replace(finding, message=re.sub(r"\bline \d+", "line", finding.message))
