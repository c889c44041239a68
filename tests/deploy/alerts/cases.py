"""What each alert is to be raised for, and what not: series as a server would expose them.

Values are in promtool's notation (``0x5``: 0, and 0 five times more; ``0+2x5``: growing by 2;
``_``: not there), one each ten seconds.
"""

from dataclasses import dataclass, field

EVERY_S = 10
POST = "/antiphon.context.v1.ContextService/PostMessage"
RPCS = "antiphon_rpc_duration_seconds"
TURNS = "antiphon_turns_ended_total"
SLOW_S = 0.5
DAY = 86_400
BROKEN = {"model": "scripted/broken"}
GONE = {"connection": "gone"}
CERTIFICATE = "antiphon_certificate_end_timestamp_seconds"
FLAGS = "antiphon_flags_open"
SIGNALS = "antiphon_anomaly_signals_total"
BACKUP = "antiphon_backup_last_success_timestamp_seconds"


@dataclass(frozen=True, slots=True)
class Series:
    """Values of a series that a server has with the labels ``where``; see Exposed.series."""

    name: str
    values: str
    where: dict[str, str] = field(default_factory=dict)
    become: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """At ``minutes`` the alert is raised with these labels beside the instance's, or not at all."""

    name: str
    minutes: float
    series: tuple[Series, ...]
    raised: dict[str, str] | None = None


def _gauge(name: str, values: str, **where: str) -> tuple[Series, ...]:
    return (Series(name, values, where),)


def _calls(code: str, values: str) -> tuple[Series, ...]:
    where = {"method": POST, "code": "OK"}
    return (Series(f"{RPCS}_count", values, where, {"code": code}),)


def _turns(succeed: int, fail: int) -> tuple[Series, ...]:
    return (
        Series(TURNS, f"0+{succeed}x200", {"state": "succeeded"}),
        Series(TURNS, f"0+{fail}x200", {"state": "failed"}),
    )


def _posts(slow: int) -> tuple[Series, ...]:
    """A thousand each ten seconds, of which so many take longer than is well."""
    bounds = ("0.25", "0.5", "1.0", "2.5", "+Inf")
    return tuple(
        Series(
            f"{RPCS}_bucket",
            f"0+{1000 - (slow if float(bound) <= SLOW_S else 0)}x200",
            {"method": POST, "code": "OK", "le": bound},
        )
        for bound in bounds
    )


def _disk(free: float, size: float) -> tuple[Series, ...]:
    return (
        *_gauge("antiphon_disk_free_bytes", f"{free:.0f}x200"),
        *_gauge("antiphon_disk_size_bytes", f"{size:.0f}x200"),
    )


def _connection(values: str) -> tuple[Series, ...]:
    return _gauge("antiphon_connection_state", values, **GONE, state="down")


def _left_alone(values: str) -> tuple[Series, ...]:
    name = "antiphon_connection_breaker_state"
    return _gauge(name, values, **GONE, state="closed")


def _paused(values: str) -> tuple[Series, ...]:
    return _gauge("antiphon_connection_breaker_by_hand", values, **GONE)


def _model(values: str) -> tuple[Series, ...]:
    return _gauge("antiphon_model_breaker_state", values, **BROKEN, state="closed")


def _by_hand(values: str) -> tuple[Series, ...]:
    return _gauge("antiphon_model_breaker_by_hand", values, **BROKEN)


def _provider(values: str) -> tuple[Series, ...]:
    name = "antiphon_identity_provider_breaker_state"
    return _gauge(name, values, provider="idp", state="closed")


CASES: dict[str, tuple[Case, ...]] = {
    "AntiphonNotServing": (
        Case("away", 3, _gauge("antiphon_serving", "1x3 0x20"), {}),
        Case("away for half a minute", 3, _gauge("antiphon_serving", "1x12 0x2 1x20")),
    ),
    "AntiphonGone": (
        Case("gone", 3, _gauge("up", "1x3 0x20"), {}),
        Case("started again", 3, _gauge("up", "1x12 0x2 1x20")),
    ),
    "AntiphonPartAway": (
        Case("away", 7, _gauge("antiphon_part_serving", "1x3 0x60", part="log"), {"part": "log"}),
        Case("back soon", 7, _gauge("antiphon_part_serving", "1x3 0x24 1x60", part="log")),
        Case("a connection", 7, _gauge("antiphon_part_serving", "0x60", part="connection.gone")),
        Case("a model", 7, _gauge("antiphon_part_serving", "0x60", part="model.scripted/broken")),
        Case(
            "a provider",
            7,
            _gauge("antiphon_part_serving", "0x60", part="identity_provider.idp"),
        ),
    ),
    "AntiphonConnectionDown": (
        Case("down", 15, _connection("0x3 1x80"), GONE),
        Case("down for a while", 15, _connection("1x24 0x80")),
        Case("and left alone", 15, (*_left_alone("0x80"), *_connection("1x80")), GONE),
    ),
    "AntiphonConnectionFails": (
        Case("open", 15, _left_alone("1x3 0x80"), GONE),
        Case("open for a while", 15, _left_alone("0x24 1x80")),
        Case("open by hand", 15, (*_left_alone("0x80"), *_paused("1x80"))),
        Case("open by itself", 15, (*_left_alone("0x80"), *_paused("0x80")), GONE),
    ),
    "AntiphonModelFails": (
        Case("open", 15, _model("1x3 0x80"), BROKEN),
        Case("open for a while", 15, _model("0x24 1x80")),
        Case("open by hand", 15, (*_model("0x80"), *_by_hand("1x80"))),
        Case("open by itself", 15, (*_model("0x80"), *_by_hand("0x80")), BROKEN),
    ),
    "AntiphonIdentityProviderFails": (
        Case("open", 15, _provider("1x3 0x80"), {"provider": "idp"}),
        Case("open for a while", 15, _provider("0x24 1x80")),
    ),
    "AntiphonErrors": (
        Case("some each minute", 5, _calls("INTERNAL", "0+1x60"), {"method": POST}),
        Case("the first there ever was", 8, _calls("INTERNAL", "_x30 1x60"), {"method": POST}),
        Case("one long ago", 18, _calls("INTERNAL", "_x6 1x200")),
        Case("one before scrapes were missed", 73, _calls("INTERNAL", "1x360 _x60 1x60")),
        Case("refusals", 5, _calls("NOT_FOUND", "0+9x60")),
    ),
    "AntiphonSlowPosts": (
        Case("two in a hundred", 20, _posts(slow=20), {}),
        Case("five in a thousand", 20, _posts(slow=5)),
        Case("not for long", 8, _posts(slow=20)),
    ),
    "AntiphonLogWaits": (
        Case("too many", 3, _gauge("antiphon_log_waiting", "0x3 1001x20"), {}),
        Case("as many as may", 3, _gauge("antiphon_log_waiting", "1000x20")),
    ),
    "AntiphonTurnsFail": (
        Case("one in five", 25, _turns(succeed=4, fail=1), {}),
        Case("one in twenty", 25, _turns(succeed=19, fail=1)),
    ),
    "AntiphonRedisAway": (
        Case("away", 4, _gauge("antiphon_redis_fallback", "0x3 1x30"), {}),
        Case("away for a minute", 4, _gauge("antiphon_redis_fallback", "0x12 1x6 0x30")),
    ),
    "AntiphonCertificateEnds": (  # promtool begins at 1970
        Case("in 13 days", 70, _gauge(CERTIFICATE, f"{13 * DAY}x500"), {}),
        Case("over", 70, _gauge(CERTIFICATE, "0x500"), {}),
        Case("in 15 days", 70, _gauge(CERTIFICATE, f"{15 * DAY}x500")),
    ),
    "AntiphonDiskFull": (
        Case("a twentieth", 20, _disk(free=5e9, size=100e9), {}),
        Case("less than a GB", 20, _disk(free=9e8, size=2e9), {}),
        Case("a fifth", 20, _disk(free=20e9, size=100e9)),
    ),
    "AntiphonWalGrows": (
        Case("a GiB", 40, _gauge("antiphon_wal_bytes", f"{1 << 30}x300"), {}),
        Case("while a backup is made", 40, _gauge("antiphon_wal_bytes", f"{1 << 30}x120 4096x300")),
        Case("a few MiB", 40, _gauge("antiphon_wal_bytes", f"{4 << 20}x300")),
    ),
    "AntiphonBackupOld": (
        Case("none ever", 38 * 60, _gauge(BACKUP, "0x14000"), {}),
        Case("of last night", 38 * 60, _gauge(BACKUP, f"0x5000 {DAY // 2}x9000")),
    ),
    "AntiphonSecurityAlarm": (
        Case(
            "one",
            5,
            _gauge("antiphon_security_alarms_total", "0x20 1x20", kind="failures_on_name"),
            {"kind": "failures_on_name"},
        ),
        Case(
            "one long ago",
            20,
            _gauge("antiphon_security_alarms_total", "0x6 1x200", kind="failures_on_name"),
        ),
    ),
    "AntiphonFlagged": (
        Case("throttled", 5, _gauge(FLAGS, "0x3 2x30", effect="throttle"), {}),
        Case("for review", 5, _gauge(FLAGS, "0x3 1x30", effect="review"), {}),
        Case("cleared", 5, _gauge(FLAGS, "0x3 1x6 0x30", effect="review")),
        Case("seen", 5, _gauge(FLAGS, "7x30", effect="none")),
    ),
    "AntiphonDetectorsBlind": (
        Case("lost", 5, _gauge(SIGNALS, "0x20 9x20", end="lost"), {}),
        Case("seen", 5, _gauge(SIGNALS, "0+9x40", end="seen")),
    ),
}
"""By the alerts' names."""
