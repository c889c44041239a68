"""Real texts in many scripts: what programs say, as people have translated it.

Packages for Python carry their translations as catalogues of gettext. Several of their sentences
make a message of a conversation.
"""

import gettext
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from zlib import crc32

SCRIPTS = {
    "English": ("en", "en_GB"),
    "German": ("de",),
    "French": ("fr",),
    "Spanish": ("es",),
    "Polish": ("pl",),
    "Turkish": ("tr",),
    "Vietnamese": ("vi",),
    "Russian": ("ru",),
    "Ukrainian": ("uk",),
    "Greek": ("el",),
    "Arabic": ("ar",),
    "Persian": ("fa",),
    "Hebrew": ("he", "he_IL"),
    "Hindi": ("hi",),
    "Thai": ("th",),
    "Chinese": ("zh_Hans", "zh_CN", "zh"),
    "Japanese": ("ja",),
    "Korean": ("ko",),
}
"""What counts are judged on: languages, by the folders of their catalogues."""
OTHERS = {
    "Italian": ("it",),
    "Dutch": ("nl",),
    "Portuguese": ("pt", "pt_BR"),
    "Finnish": ("fi",),
    "Hungarian": ("hu",),
    "Czech": ("cs",),
    "Swedish": ("sv",),
    "Indonesian": ("id",),
    "Bulgarian": ("bg",),
    "Armenian": ("hy",),
    "Georgian": ("ka",),
    "Bengali": ("bn",),
    "Tamil": ("ta",),
    "Telugu": ("te",),
    "Traditional": ("zh_Hant", "zh_TW"),
}
"""What rates are made of besides."""
_TALKS = Path(__file__).parent.parent / "recall" / "data"
_TALKED = {"de": "German", "en": "English", "es": "Spanish", "fr": "French"}
_EMOJI = "😀😂🥰👍🙏🎉🔥❤️✨😭🤔👀🚀✅❌💡📎🌍🐍🍕🇩🇪🇫🇷👩‍💻🏳️‍🌈👍🏽"


def sentences(folder: Path, *, odd: bool) -> Mapping[str, Sequence[str]]:
    """What is said in each language by the catalogues below the folder: one half, or the other.

    A catalogue's English is what all others translate.
    """
    languages = {code: name for name, codes in (SCRIPTS | OTHERS).items() for code in codes}
    found: dict[str, set[str]] = defaultdict(set)
    for file in sorted(folder.rglob("*.mo")):
        name = languages.get(file.parent.parent.name)
        if name is None:
            continue
        with file.open("rb") as opened:
            catalogue = gettext.GNUTranslations(opened)
        for asked, said in _pairs(catalogue):
            found["English"].add(asked)
            found[name].add(said)
    halves = {
        name: [it for it in sorted(those) if _is_odd(it) == odd] for name, those in found.items()
    }
    return {name: halves[name] for name in SCRIPTS | OTHERS if halves.get(name)}


def _is_odd(text: str) -> bool:
    return crc32(text.encode()) % 2 == 1


def _pairs(catalogue: gettext.GNUTranslations) -> Iterator[tuple[str, str]]:
    said: Mapping[object, str] = catalogue._catalog  # type: ignore[attr-defined]
    for key, text in said.items():
        asked = key[0] if isinstance(key, tuple) else key
        if asked and isinstance(asked, str) and text and text != asked:
            yield asked.rpartition("\x04")[2], text


def talks(*, odd: bool) -> Mapping[str, Sequence[str]]:
    """What people say to each other in tests/proofs/recall/data: of half of them."""
    said: dict[str, list[str]] = defaultdict(list)
    for file in sorted(_TALKS.glob("*.txt")):
        language, number = file.stem.split("-")
        lines = [it for it in file.read_text().splitlines() if it[:1] == "T" and ": " in it]
        if int(number) % 2 == odd:
            said[_TALKED[language]] += [it.partition(": ")[2] for it in lines]
    return said


def messages(
    said: Sequence[str], chance: random.Random, count: int, most: int = 8
) -> Sequence[str]:
    """So many messages of one to ``most`` sentences each."""
    return [" ".join(chance.choices(said, k=chance.randint(1, most))) for _ in range(count)]


def code(folders: Sequence[Path], chance: random.Random, count: int) -> Sequence[str]:
    """Pieces of programs below the folders."""
    files = [it for folder in folders for it in sorted(folder.rglob("*.py"))]
    pieces: list[str] = []
    while len(pieces) < count:
        text = chance.choice(files).read_text(errors="replace")
        start = chance.randrange(max(1, len(text) - 1500))
        pieces += [piece] if (piece := text[start : start + chance.randint(100, 1500)]) else []
    return pieces


def with_emoji(said: Sequence[str], chance: random.Random) -> Sequence[str]:
    """The messages, each with some emoji behind it."""
    return [f"{it} {''.join(chance.choices(_EMOJI, k=chance.randint(1, 12)))}" for it in said]


def keys(chance: random.Random, count: int) -> Sequence[str]:
    """What is no language: hexadecimal, base 64, numbers, tables, rare characters."""
    return [chance.choice(_STRANGE)(chance) for _ in range(count)]


def _hexadecimal(chance: random.Random) -> str:
    return chance.randbytes(chance.randint(8, 200)).hex()


def _base64(chance: random.Random) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return "".join(chance.choices(letters, k=chance.randint(30, 600)))


def _numbers(chance: random.Random) -> str:
    return " ".join(str(chance.randrange(10 ** chance.randint(1, 8))) for _ in range(40))


def _table(chance: random.Random) -> str:
    return "\n".join(
        f"| {chance.randrange(100)} | {chance.random():.2f} |" for _ in range(chance.randint(3, 30))
    )


def _rare(chance: random.Random) -> str:
    """Of one block of Unicode that hardly any text is in, with letters between."""
    first, last = chance.choice(_RARE)
    share = chance.random()
    return "".join(
        chr(chance.randint(first, last)) if chance.random() < share else chance.choice("aeinst .")
        for _ in range(chance.randint(20, 300))
    )


_RARE = (
    (0x0300, 0x036F),
    (0x1200, 0x137C),
    (0x1780, 0x17B3),
    (0x2200, 0x22FF),
    (0x2500, 0x257F),
    (0xA500, 0xA62B),
    (0x1D400, 0x1D7CB),
)
_STRANGE = (_hexadecimal, _base64, _numbers, _table, _rare)
