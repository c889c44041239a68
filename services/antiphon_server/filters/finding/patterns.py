"""How RE2 is asked here."""

import re2


def latin(any_case: bool = False) -> "re2.Options":
    """For patterns of text with a byte for each character, of which the longest match counts."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.longest_match, options.case_sensitive = True, not any_case
    return options
