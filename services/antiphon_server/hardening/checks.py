"""The checks as data: each one thing that is insecure, why it matters and what to do.

Secure settings with secure facts pass all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from antiphon_server.hardening.edge import (
    no_rates,
    unchecked_tokens,
    unheard_proxies,
    wide_origins,
)
from antiphon_server.hardening.facts import Facts
from antiphon_server.runtime.limits.rate_limits import RateLimits
from antiphon_server.runtime.net.addresses import Network
from antiphon_server.runtime.net.loopback import is_loopback
from antiphon_server.settings import Settings

_DAY_S = 86_400
_WARN_S = 14 * _DAY_S
_LOOSEST = 100
"""Times the default that a limit of an address may be: beyond, no machine ever reaches it."""
_LEAST_PREFIX = {4: 12, 6: 24}
"""Bits of a public network of proxies: those of large distributors have 13 and 28."""
_ENCRYPTED = ("require", "verify-ca", "verify-full")


@dataclass(frozen=True, slots=True)
class Check:
    """One of them. ``found`` says what is wrong, or an empty text.

    A server in production does not start if a check that ``refuses`` has found something;
    the others advise.
    """

    name: str
    found: Callable[[Settings, Facts], str]
    why: str
    remedy: str
    refuses: bool = True


def _plain_port(settings: Settings, _facts: Facts) -> str:
    return "" if settings.tls or settings.behind_proxy else "the port has no TLS"


def _certificate_over(_settings: Settings, facts: Facts) -> str:
    ends = facts.certificate_ends
    return f"the certificate ended on {_date(ends)}" if ends and ends <= facts.now else ""


def _certificate_soon_over(_settings: Settings, facts: Facts) -> str:
    ends = facts.certificate_ends
    soon = ends and facts.now < ends <= facts.now + _WARN_S
    return f"the certificate ends on {_date(ends)}" if ends and soon else ""


def _reflection(settings: Settings, _facts: Facts) -> str:
    return "reflection is on" if settings.reflects else ""


def _test_users(settings: Settings, _facts: Facts) -> str:
    return "there is a test user" if settings.test_users else ""


def _secret_beside_data(_settings: Settings, facts: Facts) -> str:
    return "the installation's secret lies in the data folder" if facts.secret_inside else ""


def _secret_wrong(_settings: Settings, facts: Facts) -> str:
    return facts.secret_wrong


def _open_folder(_settings: Settings, facts: Facts) -> str:
    return f"others can look into {', '.join(facts.open_folders)}" if facts.open_folders else ""


def _open_secrets(_settings: Settings, facts: Facts) -> str:
    return f"others can read {', '.join(facts.open_files)}" if facts.open_files else ""


def _keys_in_clear(settings: Settings, _facts: Facts) -> str:
    names = [m.name for m in settings.all_models() if m.secret and _in_clear(m.base_url)]
    return f"the keys of {', '.join(names)} are sent in clear" if names else ""


def _no_rate_limits(settings: Settings, _facts: Facts) -> str:
    limits = settings.rate_limits
    if not limits.enabled:
        return "rate limits are off"
    loose = [
        f"{name} of {given}"
        for name in ("sign_ins", "calls")
        if not 0 < (given := getattr(limits, name)) <= _LOOSEST * getattr(RateLimits(), name)
    ]
    return f"rate limits are none: {', '.join(loose)}" if loose else ""


def _redis_in_clear(settings: Settings, _facts: Facts) -> str:
    url = settings.redis_url.reveal() if settings.redis_url else ""
    return "Redis is spoken to in clear" if _in_clear(url) else ""


def _database_in_clear(settings: Settings, _facts: Facts) -> str:
    parts = urlsplit(settings.database_url.reveal() if settings.database_url else "")
    near = not parts.hostname or is_loopback(parts.hostname)
    modes = parse_qs(parts.query).get("sslmode", [""])
    return "" if near or modes[-1] in _ENCRYPTED else "Postgres may be spoken to in clear"


def _peers_in_clear(settings: Settings, _facts: Facts) -> str:
    if settings.peer_ca:
        return ""
    where: dict[str, str] = {name: settings.peers.address(name) for name in settings.elsewhere}
    away = [name for name, address in where.items() if not _is_near(address)]
    away += ["the registry"] if not all(_is_near(each) for each in settings.registries) else []
    away += ["servers that share the store"] if _forwards_in_clear(settings) else []
    return (
        f"{', '.join(away)} {'is' if len(away) == 1 else 'are'} spoken to in clear" if away else ""
    )


def _forwards_in_clear(settings: Settings) -> bool:
    """Whether calls are passed on, with their callers' tokens, to another's plain port."""
    passes_on = settings.shares_store and "dispatcher" in settings.services
    host = _host_of(settings.node_address) or settings.host
    return passes_on and settings.tls is None and not is_loopback(host)


def _traces_in_clear(settings: Settings, _facts: Facts) -> str:
    collector = settings.mesh.traces
    of_edge = collector and not is_loopback(_host_of(collector))
    return "traces are sent in clear" if of_edge or _in_clear(settings.otlp_endpoint) else ""


def _open_admin(settings: Settings, _facts: Facts) -> str:
    far = settings.admin_port is not None and not is_loopback(settings.admin_host)
    return "others can reach the port for metrics" if far else ""


def _debug_logs(settings: Settings, _facts: Facts) -> str:
    return "the log level is debug" if settings.log_level == "debug" else ""


def _any_proxy(settings: Settings, _facts: Facts) -> str:
    if not settings.behind_proxy:
        return ""
    wide = [str(network) for network in settings.proxy_networks() if _anybodys(network)]
    if wide:
        return f"{', '.join(wide)} is taken for proxies"
    named = settings.trusted_proxies or settings.on_loopback
    return "" if named else "whoever connects is taken for the proxy"


def _anybodys(network: Network) -> bool:
    """Whether it holds more public addresses than any one operator's proxies have."""
    return network.prefixlen < _LEAST_PREFIX[network.version] and not network.is_private


def _unknown_variables(_settings: Settings, facts: Facts) -> str:
    names = facts.unknown_variables
    return f"nothing reads {', '.join(names)}" if names else ""


def _root(_settings: Settings, facts: Facts) -> str:
    return "the server runs as root" if facts.root else ""


def _is_near(address: str) -> bool:
    return is_loopback(_host_of(address))


def _host_of(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")


def _in_clear(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "redis") and not is_loopback(parts.hostname or "")


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


CHECKS = (
    Check(
        "TLS",
        _plain_port,
        "passwords and tokens would travel in clear",
        "Give ANTIPHON_TLS_CERT and ANTIPHON_TLS_KEY, or --behind-proxy if a proxy speaks TLS",
    ),
    Check(
        "certificate",
        _certificate_over,
        "no client trusts it any more",
        "Renew the files of ANTIPHON_TLS_CERT and ANTIPHON_TLS_KEY",
    ),
    Check(
        "reflection",
        _reflection,
        "it describes every call to strangers",
        "Unset ANTIPHON_REFLECTION",
    ),
    Check(
        "test users",
        _test_users,
        "it is made for trying things out",
        "Leave --test-user away and unset ANTIPHON_TEST_USERS; the start then shuts the user out",
    ),
    Check(
        "secret's place",
        _secret_beside_data,
        "a copy of the folder would hold both what is encrypted and its key",
        "Move it out: set ANTIPHON_SECRET_KEY to what auth.key holds, or ANTIPHON_SECRET_KEY_FILE "
        "to a file elsewhere, and remove auth.key; a new one is made by `openssl rand -base64 32`",
    ),
    Check(
        "secret",
        _secret_wrong,
        "whoever knows it can sign in as anybody",
        "Make one of random bytes: `openssl rand -base64 32`",
    ),
    Check(
        "data folder",
        _open_folder,
        "it holds everybody's conversations and the operator's key",
        "Run `chmod 700` on it",
    ),
    Check(
        "key files",
        _open_secrets,
        "each lets its reader in or speak as the server",
        "Run `chmod 600` on them",
    ),
    Check(
        "models' keys",
        _keys_in_clear,
        "whoever is on the way can use them",
        "Write https:// in their base_url",
    ),
    Check(
        "peers",
        _peers_in_clear,
        "whoever is on the way can read the services' tokens and their callers', and use them",
        "Give ANTIPHON_PEER_CA, ANTIPHON_TLS_CERT and ANTIPHON_TLS_KEY, as `antiphon certs` "
        "makes them",
    ),
    Check(
        "proxy",
        _any_proxy,
        "strangers could write any address beside their calls, and would share no limit",
        "Listen on 127.0.0.1, or name the proxy's own networks in ANTIPHON_TRUSTED_PROXIES",
    ),
    Check(
        "rate limits",
        _no_rate_limits,
        "nothing slows down who tries passwords or floods the port",
        'Take "enabled": false, and figures of 0 (no limit) or beyond all reason, out of '
        "ANTIPHON_RATE_LIMITS",
    ),
    Check(
        "variables",
        _unknown_variables,
        "what it was to change is as by default",
        "Correct the name, or unset it",
    ),
    Check(
        "certificate's end",
        _certificate_soon_over,
        "after that no client connects",
        "Renew it; the server takes new files without a restart",
        refuses=False,
    ),
    Check(
        "traces",
        _traces_in_clear,
        "they say who calls what and when",
        "Write https:// in ANTIPHON_OTLP_ENDPOINT; name in ANTIPHON_MESH one of this machine",
        refuses=False,
    ),
    Check(
        "Postgres",
        _database_in_clear,
        "everything that is stored can be read and changed on the way",
        "Write ?sslmode=verify-full behind ANTIPHON_DATABASE_URL",
        refuses=False,
    ),
    Check(
        "Redis",
        _redis_in_clear,
        "its password and every new message can be read on the way",
        "Write rediss:// in ANTIPHON_REDIS_URL",
        refuses=False,
    ),
    Check(
        "metrics",
        _open_admin,
        "it asks nobody who they are, and says how many sign in, fail and are refused",
        "Let the collector alone reach it, by a firewall or a NetworkPolicy, or unset "
        "ANTIPHON_ADMIN_HOST",
        refuses=False,
    ),
    Check(
        "edge's origins",
        wide_origins,
        "a page that others wrote, or changed on the way, could call in its visitor's place",
        'Name in "origins" of ANTIPHON_MESH the pages of your own, with https://',
        refuses=False,
    ),
    Check(
        "edge's limits",
        no_rates,
        "a flood gets as far as the servers",
        "Give it in ANTIPHON_MESH, or leave it away",
        refuses=False,
    ),
    Check(
        "edge's tokens",
        unchecked_tokens,
        "calls that nobody signed get as far as the servers",
        'Take "check_tokens": false out of ANTIPHON_MESH',
        refuses=False,
    ),
    Check(
        "edge's proxies",
        unheard_proxies,
        "all callers would share one address and its limits; and without a proxy the port is plain",
        'Say in "trusted_hops" of ANTIPHON_MESH how many proxies there are; for none unset '
        "ANTIPHON_BEHIND_PROXY and give a certificate",
        refuses=False,
    ),
    Check(
        "log level",
        _debug_logs,
        "other libraries log there what they send",
        "Set ANTIPHON_LOG_LEVEL=info",
        refuses=False,
    ),
    Check(
        "user",
        _root,
        "a defect would have the whole machine",
        "Run it as a user of its own",
        refuses=False,
    ),
)
