"""Attacks and harmless messages, each with the categories that are found in it: data alone.

Whoever adds an entrance or a finder pushes all of it through. ``KNOWN_GAPS`` are attacks that the
built-in finders do not find, so that nobody believes they do.
"""

# ruff: noqa: RUF001  # it is about characters that look like others

import random
from collections.abc import Sequence
from dataclasses import dataclass

ZERO_WIDTH = "\u200b"
TERMS_AS_WORDS = ("Bluebird", "project falcon", "запрет")
TERMS_AS_PARTS = ("verboten",)
REGIONS = ("DE", "US")


@dataclass(frozen=True)
class Sample:
    """A message by its ``parts``, and all categories that are found; none: it is harmless."""

    name: str
    parts: Sequence[str]
    categories: frozenset[str]


def _attack(name: str, *parts: str, found: str) -> Sample:
    return Sample(name, parts, frozenset(found.split()))


def _harmless(name: str, *parts: str) -> Sample:
    return Sample(name, parts, frozenset())


CARD = "4111 1111 1111 1111"
GITHUB = "ghp_" + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17"
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
ANTIPHON = "antk_" + "003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf2VQN0w"
STRIPE = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dcQ2vB"
ANTHROPIC = "sk-ant-api03-" + "Jx8_kQ2vR7mT4wYb9NcD1eFgH5iLoP6sUuZaXjKqWtE"
IBAN = "DE89 3704 0044 0532 0130 00"
EMAIL = "john.doe+news@mail.example.com"
PHONE = "+49 30 12345678"
PEM = (
    "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEpAIBAAKCAQEA7v6G8m5yF1xWzq0T0q0b8a4k9J2n\n"
    "kQ5s0t9mB2s8w1q3n7c6v5b4x3z2l1k0j9h8g7f6d5s4\n-----END RSA PRIVATE KEY-----"
)
JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0."
    "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
)
PROSE = "The train to Basel leaves at ten, and the museum opens at noon on Sundays. "
_RANDOM = random.Random(18)
LONG = " ".join(
    "".join(_RANDOM.choices("etaoinshrdlu", k=_RANDOM.randint(2, 9))) for _ in range(15_300)
)
"""100 KB of what looks like prose."""


def _hidden(text: str) -> str:
    return ZERO_WIDTH.join(text)


def _wide(text: str) -> str:
    """In full-width forms."""
    return "".join(chr(ord(it) + 0xFEE0) if "!" <= it <= "~" else it for it in text)


ATTACKS = (
    _attack("card", f"Pay with {CARD}, please.", found="card"),
    _attack("card, other issuers", "378282246310005 and 5555-5555-5555-4444!", found="card"),
    _attack("card, digit by digit", f"It is {' '.join(CARD.replace(' ', ''))}.", found="card"),
    _attack("card, full-width", f"Pay with {_wide(CARD)}.", found="card"),
    _attack("card, Arabic digits", "٤١١١ ١١١١ ١١١١ ١١١١", found="card"),
    _attack("card, zero-width", f"Pay with {_hidden(CARD)}.", found="card"),
    _attack("card, soft hyphens", f"Pay with {CARD.replace(' ', chr(0xAD))}.", found="card"),
    _attack("card, en dashes", f"Pay with {CARD.replace(' ', chr(0x2013))}.", found="card"),
    _attack("card, over two parts", "Pay with 4111 1111 ", "1111 1111, please.", found="card"),
    _attack("card, each digit a part", *CARD, found="card"),
    _attack("card behind another part's last digit", "I have 3", CARD, found="card"),
    _attack("iban", f"Send it to {IBAN}.", found="iban"),
    _attack("iban, small and closed up", f"to {IBAN.replace(' ', '').lower()}.", found="iban"),
    _attack("two ibans", f"{IBAN} GB29NWBK60161331926819", found="iban"),
    _attack("e-mail", f"Write to {EMAIL}, will you?", found="email"),
    _attack(
        "e-mail, homoglyphs", f"Write to {EMAIL.replace('o', 'о').replace('e', 'е')}", found="email"
    ),
    _attack("e-mail, accents", "Write to jürgen@exämple.de now", found="email"),
    _attack("phone", f"Call {PHONE} tonight.", found="phone"),
    _attack("phone, America", "Call +1 (415) 555-2671.", found="phone"),
    _attack("phone, as dialled there", "Call 030 12345678 or (415) 555-2671.", found="phone"),
    _attack("addresses", "Hosts 93.184.216.34 and 2606:2800:220:1::1.", found="ip"),
    _attack("AWS", f"The key is {AWS}.", found="aws_key"),
    _attack("AWS, homoglyphs", f"The key is {AWS.replace('A', 'А')}.", found="aws_key"),
    _attack("AWS, full-width", _wide(AWS), found="aws_key"),
    _attack("AWS behind another part's last word", "look", AWS, found="aws_key"),
    _attack(
        "AWS's secret",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYz8n2q",
        found="secret",
    ),
    _attack("GitHub", f"push with {GITHUB}", found="github_token"),
    _attack("GitHub, within a word", f"x{GITHUB}x", found="github_token"),
    _attack("GitHub, zero-width", _hidden(GITHUB), found="github_token"),
    _attack(
        "GitHub, over three parts", GITHUB[:3], GITHUB[3:20], GITHUB[20:], found="github_token"
    ),
    _attack("Antiphon", f"antiphon --key {ANTIPHON} chat", found="antiphon_key"),
    _attack("Stripe", f"STRIPE={STRIPE}", found="stripe_key"),
    _attack("Anthropic", f'"{ANTHROPIC}"', found="anthropic_key"),
    _attack(
        "Slack",
        "xoxb-" + "123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
        found="slack_token",
    ),
    _attack("GitLab", "glpat-" + "Zx9_yW8vU7tS6rQ5pO4n", found="gitlab_token"),
    _attack("Google", "AIza" + "SyD3x_8Kq2Lm9Np4Rt7Vw1Yz6Bc5Df0Gh-J", found="google_key"),
    _attack("private key", f"Here:\n{PEM}\nkeep it", found="private_key"),
    _attack("private key without an end", PEM[:90], found="private_key"),
    _attack("private key over parts", PEM[:10], PEM[10:60], PEM[60:], found="private_key"),
    _attack("JWT", f"curl -H 'X-Auth: {JWT}'", found="jwt"),
    _attack("bearer", "Authorization: Bearer 8f3KzQ1mN7vR2xT5wY9bC4dE6gH0jL", found="secret"),
    _attack("password in a URL", "postgres://me:Tr0ub4dor&3@db.example/x", found="password email"),
    _attack("password in JSON", '{"password": "Hunter2go!"}', found="password"),
    _attack(
        "password, labelled in full-width", f"{_wide('password')}：Hunter2go!", found="password"
    ),
    _attack("a term", "Have you heard of bluebird?", found="term"),
    _attack("a term, in Cyrillic letters", "Have you heard of Вluеbird?", found="term"),
    _attack("a term, with accents", "Have you heard of blüebírd?", found="term"),
    _attack("a term, in mathematical letters", "Have you heard of 𝐁𝐥𝐮𝐞𝐛𝐢𝐫𝐝?", found="term"),
    _attack("a term, under marks", "B̷l̷u̷e̷b̷i̷r̷d̷", found="term"),
    _attack("a term, zero-width", _hidden("Bluebird"), found="term"),
    _attack("a term, over a line", "the Project\nFalcon is", found="term"),
    _attack("a term, in large Cyrillic letters", "это ЗАПРЕТ!", found="term"),
    _attack("a part of a word", "Das ist unverbotenerweise so", found="term"),
    _attack("a term, over parts", "blue", "bird", found="term"),
    _attack("script", "Hi <script>alert(1)</script>", found="markup"),
    _attack("a handler of an event", "<img src=x onerror=alert(1)>", found="markup"),
    _attack("a handler, over parts", "<svg onl", "oad=alert(1)>", found="markup"),
    _attack("a URL that runs", "[click](javascript:alert(1))", found="active_url"),
    _attack("a URL that runs, over lines", "[click](java\nscript:alert(1))", found="active_url"),
    _attack("a URL that is a page", "data:text/html;base64,PHNjcmlwdD4=", found="active_url"),
    _attack("terminal sequences", "\x1b[2J\x1b]0;root\x07 all clear", found="escape"),
    _attack("controls", "abc\x00def\x08\x08\x08", found="control"),
    _attack("Trojan Source", "if admin\u202e \u2066// check\u2069 \u2066begin", found="bidi"),
    _attack(
        "invisible words",
        "Hello" + "".join(chr(0xE0000 + ord(it)) for it in "ignore"),
        found="invisible",
    ),
    _attack(
        "words in variations",
        "😀" + "".join(chr(0xE0100 + it) for it in range(9)),
        found="invisible",
    ),
    _attack("at the end of 100 KB", f"{LONG} {CARD}", found="card"),
    _attack("at the start of 100 KB", f"{GITHUB} {LONG}", found="github_token"),
    _attack(
        "in 100 KB of invisible characters",
        *(CARD[:9], ZERO_WIDTH * 33_000, CARD[9:]),
        found="card",
    ),
    _attack("the same line again and again", "buy now, it is cheap!\n" * 100, found="repetition"),
    _attack("the same letter", "a" * 1000, found="repetition"),
    _attack(
        "all at once",
        f"{CARD} {EMAIL} {IBAN} {GITHUB} <script>",
        found="card email iban github_token markup",
    ),
)

HARMLESS = (
    _harmless("prose", PROSE),
    _harmless("100 KB of prose", LONG),
    _harmless("prose in three languages", "Grüße aus Köln! Привет, как дела? 你好，今天天气很好。"),
    _harmless(
        "an order's number",
        "Your order 1234-5678-9012-3456 and invoice 2025-000123 are on the way.",
    ),
    _harmless(
        "a long number", "Tracking 00340434161094042557, case 123456789012345678901234567890."
    ),
    _harmless("a card that Luhn refuses", "4111 1111 1111 1112"),
    _harmless("an account that fails its check", "GB29NWBK60161331926818"),
    _harmless(
        "UUIDs", "550e8400-e29b-41d4-a716-446655440000 and 6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    ),
    _harmless(
        "hashes",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8,"
        " sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4",
    ),
    _harmless(
        "a picture",
        "data:image/png;base64,"
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
        "RU5ErkJggg==",
    ),
    _harmless(
        "dates and times",
        "2025-11-26T08:30:00Z, 26.11.2025 08:30:45, from 1999 to 2024, 1732608000123",
    ),
    _harmless(
        "versions", "Python 3.11.7, version 10.0.19041.1, v1.2.3.4, Chrome/120.0.0.0 Safari/537.36"
    ),
    _harmless(
        "floats", "pi is 3.14159265358979323846, e is 2.71828182845904523536, 0.4111111111111111"
    ),
    _harmless("addresses of one's own", "127.0.0.1, 10.0.0.7, 192.168.1.1, ::1 and fe80::1 answer"),
    _harmless(
        "code",
        "def password(token: str) -> None:\n    secret = os.environ['TOKEN']\n"
        "    if a < b and c > d: std::vector<int> x; @property",
    ),
    _harmless(
        "labels without secrets",
        "password: required, token: string, api_key = YOUR_API_KEY, secret=<secret>,"
        " Password: ********",
    ),
    _harmless(
        "a stand-in",
        "export KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        " # ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ),
    _harmless(
        "a public key",
        "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAL\n-----END PUBLIC KEY-----",
    ),
    _harmless("a diff", "@@ -1,7 +1,7 @@\n-old\n+new\nuser@host:~$ git push origin main"),
    _harmless("words with a term's letters", "Bluebirds sing; projects, falcons; запрета"),
    _harmless(
        "talk of markup", 'In JavaScript: use <b>bold</b>, a <- b, or <div class="on">; data: none'
    ),
    _harmless("Arabic and Hebrew", "مرحبا بالعالم! שלום עולם 123"),
    _harmless(
        "emoji",
        "👨\u200d👩\u200d👧 ❤\ufe0f 🇩🇪 1\ufe0f\u20e3"
        " 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ),
    _harmless(
        "a table", "\n".join(f"| {row} | {row * 37 % 101} | {row * row} |" for row in range(60))
    ),
    _harmless(
        "a matrix",
        "\n".join(
            " ".join(str((row * 7 + column * 13) % 97) for column in range(12)) for row in range(12)
        ),
    ),
    _harmless("a chorus", "We go on, we go on, we go on and on.\n" * 6),
    _harmless("MAC and times", "aa:bb:cc:dd:ee:ff 12:30:45 00:00:00"),
    _harmless(
        "parts that are nothing together", "The end of one part. ", "The next one begins here."
    ),
)

KNOWN_GAPS = (
    _attack("base64 of a card", "NDExMSAxMTExIDExMTEgMTExMQ==", found=""),
    _attack("a key in hexadecimal", AWS.encode().hex(), found=""),
    _attack("a card in words", "four one one one, and twelve more ones", found=""),
    _attack("a card between markup", "4111<b>1111</b>1111<i>1111</i>", found=""),
    _attack("a card behind letters", "cc4111111111111111", found=""),
    _attack("a card in uneven groups", "41 111 1111 11 11111", found=""),
    _attack("an address in words", "john at example dot com", found=""),
    _attack("a term spaced out", "B l u e b i r d", found=""),
    _attack("a term in digits", "Blu3b1rd", found=""),
    _attack("a term in entities", "&#66;luebird", found=""),
    _attack("a term backwards", "dribeulB", found=""),
    _attack("a password in a sentence", "my password is hunter2", found=""),
)
"""What gets through. A model, or a filter of one's own, is what such is left to."""
