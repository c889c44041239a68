"""Secrets by their shapes and checksums: whose they are is told by what they begin with."""

from antiphon_server.filters.finding.checks import Checksum, is_jwt, password, random, varied
from antiphon_server.filters.finding.shapes import Run, Shape

_ALNUM, _WORD, _URL, _HEX = "A-Za-z0-9", "A-Za-z0-9_", "A-Za-z0-9_-", "0-9a-f"


def _github(*heads: bytes) -> Shape:
    return Shape("github_token", heads, (Run(_ALNUM, 36, 36),), Checksum(4), glued=True)


def _key(category: str, head: bytes, of: str, least: int, most: int = 0) -> Shape:
    """One head and one run: of ``least`` characters alone, if ``most`` is 0."""
    return Shape(category, (head,), (Run(of, least, most or least),), varied)


_AWS = (b"AKIA", b"ASIA", b"ABIA", b"ACCA")
_GITLAB = tuple(
    f"gl{kind}-".encode()
    for kind in ("pat", "dt", "rt", "cbt", "ptt", "ft", "soat", "agent", "imt", "ffct")
)
_SLACK = tuple(f"xox{kind}-".encode() for kind in "abceoprs")
_STRIPE = tuple(f"{kind}k_{mode}_".encode() for kind in "sr" for mode in ("live", "test"))
_OPENAI = (b"sk-proj-", b"sk-svcacct-", b"sk-admin-", b"sk-None-")
_SHOPIFY = (b"shpat_", b"shpca_", b"shppa_", b"shpss_")
_HASHICORP = (b"hvs.", b"hvb.", b"hvr.")
_OCEAN = (b"dop_v1_", b"doo_v1_", b"dor_v1_")
_BECH32 = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"

TOKENS = (
    Shape(
        "antiphon_key",
        (b"antk_", b"antp_", b"antd_"),
        (Run(_ALNUM, 49, 49),),
        Checksum(0),
        glued=True,
    ),
    Shape("antiphon_key", (b"agr_",), (Run("." + _URL, 40, 1000),), varied),
    Shape("aws_key", _AWS, (Run("A-Z2-7", 16, 16),), varied),
    _github(b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"),
    Shape("github_token", (b"github_pat_",), (Run(_WORD, 82, 82),), varied),
    Shape("npm_token", (b"npm_",), (Run(_ALNUM, 36, 36),), Checksum(4), glued=True),
    Shape("gitlab_token", _GITLAB, (Run("." + _URL, 20, 300),), varied),
    Shape("slack_token", _SLACK, (Run(_ALNUM + "-", 20, 250),), varied),
    Shape("slack_token", (b"xapp-",), (Run(_ALNUM + "-", 30, 250),), varied),
    Shape("slack_token", (b"hooks.slack.com/services/",), (Run(_ALNUM + "/", 30, 80),), varied),
    Shape("stripe_key", _STRIPE, (Run(_ALNUM, 16, 250),), varied),
    Shape("stripe_key", (b"whsec_",), (Run(_ALNUM + "+/=", 32, 100),), varied),
    Shape("anthropic_key", (b"sk-ant-",), (Run(_URL, 24, 250),), varied),
    Shape("openai_key", _OPENAI, (Run(_URL, 24, 250),), varied),
    Shape("api_key", (b"sk-",), (Run(_URL, 32, 250),), random),
    _key("google_key", b"AIza", _URL, 35),
    _key("google_key", b"GOCSPX-", _URL, 28),
    _key("google_key", b"ya29.", "." + _URL, 30, 500),
    _key("huggingface_token", b"hf_", _ALNUM, 34, 40),
    _key("pypi_token", b"pypi-", _URL, 80, 500),
    _key("docker_token", b"dckr_pat_", _URL, 27),
    _key("databricks_token", b"dapi", _HEX, 32),
    _key("groq_key", b"gsk_", _ALNUM, 52),
    _key("xai_key", b"xai-", _ALNUM, 80),
    _key("replicate_token", b"r8_", _ALNUM, 37),
    _key("perplexity_key", b"pplx-", _ALNUM, 48),
    _key("linear_key", b"lin_api_", _ALNUM, 40),
    _key("notion_token", b"ntn_", _ALNUM, 40, 60),
    Shape("telegram_token", (b":AA",), (Run(_URL, 33, 33),), varied, glued=True),
    _key("age_key", b"AGE-SECRET-KEY-1", _BECH32, 58),
    Shape("shopify_token", _SHOPIFY, (Run("0-9a-fA-F", 32, 32),), varied),
    Shape("digitalocean_token", _OCEAN, (Run(_HEX, 64, 64),), varied),
    Shape("vault_token", _HASHICORP, (Run(_URL, 24, 300),), varied),
    Shape("grafana_token", (b"glsa_",), (Run(_ALNUM, 32, 32), b"_", Run(_ALNUM, 8, 8)), varied),
    Shape("sendgrid_key", (b"SG.",), (Run(_URL, 22, 22), b".", Run(_URL, 43, 43)), varied),
    Shape(
        "jwt",
        (b"eyJ",),
        (Run(_URL, 10, 700), b".", Run(_URL, 10, 4000), b".", Run(_URL, 0, 700)),
        is_jwt,
    ),
)
"""Secrets that begin with what nothing else does."""

_LABELS = (
    b"secret token api_key api-key apikey access_key access-key accesskey account_key accountkey"
    b" private_key auth_key signing_key encryption_key client_key credential"
).split()
_PASSWORDS = (b"password", b"passwd", b"passwort", b"passphrase", b"pwd")
_ASSIGNED = (
    Run(_URL, 0, 24),
    Run("\"'`\\]\\\\", 0, 3),
    Run(" \\t", 0, 3),
    Run(":=>", 1, 3),
    Run(" \\t", 0, 3),
    Run("\"'`\\\\", 0, 3),
)
_VALUE = "!#-&*-;=?@A-Z^_a-z~|"

_THEN = rb"[A-Za-z0-9_-]{0,24}[\"'`\]\\]{0,3}[ \t]{0,3}[:=]"
_TOKEN = _ALNUM + "_./+=~-"

LABELLED = (
    Shape("secret", _LABELS, (*_ASSIGNED, Run(_TOKEN, 16, 250)), random, True, 6, then=_THEN),
    Shape("password", _PASSWORDS, (*_ASSIGNED, Run(_VALUE, 8, 128)), password, True, 6, then=_THEN),
    Shape("secret", (b"bearer ", b"basic "), (Run(_TOKEN, 20, 500),), random, first=0),
    Shape(
        "password",
        (b"://",),
        (Run(_ALNUM + "_.%+~-", 0, 64), b":", Run(_VALUE.replace("@", ""), 4, 128), b"@"),
        glued=True,
        first=2,
        last=3,
        then=b"[A-Za-z0-9_.%+~-]{0,64}:",
    ),
)
"""Secrets that are told by what stands before them, in any case."""
