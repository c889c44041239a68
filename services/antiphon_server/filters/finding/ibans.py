"""Account numbers (IBAN): by country, its length and the checksum modulo 97."""

import re
from collections.abc import Iterator
from functools import cache

import re2

from antiphon_server.filters.finding.looking import Look
from antiphon_server.filters.finding.patterns import latin

_CATEGORY = "iban"
_LENGTHS = """
AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18
DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23
IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27
MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19
SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
"""
"""Of the registry that SWIFT keeps (ISO 13616): a country and how many characters its have."""
_LENGTH = {it[:2].encode(): int(it[2:]) for it in _LENGTHS.split()}
_LONGEST = max(_LENGTH.values())
_HEAD = re2.compile(b"(?:" + b"|".join(_LENGTH) + b")[0-9]{2}", latin(any_case=True))
_BEGUN = (
    {it[:1] for it in _LENGTH} | {*_LENGTH} | {it + b"%d" % n for it in _LENGTH for n in range(10)}
)


class Ibans:
    """Looks for a country's letters and what may follow, with a blank or hyphen anywhere."""

    longest, before = 2 * _LONGEST, 1

    def looks(self, coded: bytes, at: int) -> Iterator[Look]:
        """Those whose checksum holds, and what the text's end leaves open."""
        for match in _HEAD.finditer(coded, at):
            if not coded[match.start() - 1 : match.start()].isalnum():
                yield _read(coded, match.start())
        for start in range(max(at, len(coded) - 3), len(coded)):
            if coded[start:].upper() in _BEGUN and not coded[start - 1 : start].isalnum():
                yield Look(start, 0, True, _CATEGORY)


def _read(coded: bytes, start: int) -> Look:
    size = _LENGTH[coded[start : start + 2].upper()]
    match = _of(size).match(coded, start)
    end = match.end() if match else start
    said = re.sub(rb"[ -]", b"", coded[start:end])
    if len(said) < size:
        cut_short = len(coded) - end <= 1 and coded[end:].strip(b" -") == b""
        return Look(start, 0, cut_short, _CATEGORY)
    good = not coded[end : end + 1].isalnum() and _number(said) % 97 == 1
    return Look(start, end if good else 0, end == len(coded), _CATEGORY)


@cache
def _of(size: int) -> re.Pattern[bytes]:
    return re.compile(rb"[0-9A-Za-z](?:[ -]?[0-9A-Za-z]){0,%d}" % (size - 1))


def _number(said: bytes) -> int:
    """As the standard reads it: the first four characters last, letters as 10 to 35."""
    return int("".join(str(int(chr(it), 36)) for it in said[4:] + said[:4]))
