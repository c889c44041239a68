"""The typed settings of a server: read once, handed down in slices."""

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from antiphon_server.auth.model.identity_providers import IdentityProviderSettings, one_of_each_name
from antiphon_server.auth.service.alarms import AlarmSettings
from antiphon_server.auth.service.token_settings import MOST_USER_SECONDS
from antiphon_server.installation import NAMES, ServiceName
from antiphon_server.integration.connections.settings import (
    MAX_PROGRAMS,
    ConnectionSettings,
    ProgramSettings,
    check_connections,
)
from antiphon_server.integration.models.settings import SMALL_MODEL, ModelSettings, model_named
from antiphon_server.integration.tools.settings import ToolSettings
from antiphon_server.memory.external.settings import ExternalMemorySettings
from antiphon_server.mesh.settings import MeshSettings
from antiphon_server.peers import Peers
from antiphon_server.runtime.configuration import (
    Secret,
    WrongSetting,
    configured,
    from_environment,
    host_and_port,
)
from antiphon_server.runtime.limits.rate_limits import RateLimits
from antiphon_server.runtime.limits.share_settings import ShareSettings
from antiphon_server.runtime.net.addresses import Network
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from antiphon_server.runtime.net.loopback import is_loopback
from antiphon_server.runtime.net.tls import TlsFiles
from antiphon_server.runtime.nodes.name import LEASE_S

if TYPE_CHECKING:
    from antiphon_server.auth.settings import AuthSettings

PREFIX = "ANTIPHON_"
DEFAULT_PORT = 7450
DEFAULT_ADMIN_PORT = 7451
DEFAULT_WEB_PORT = 7480
DEFAULT_MODEL = SMALL_MODEL
ERROR_FILE = "errors.log"

Port = Annotated[int, Meta(ge=0, le=65535)]


def default_data_dir() -> Path:
    """Where data is kept unless told otherwise (XDG Base Directory)."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "antiphon"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The options of `antiphon up` and `serve`, also environment variables ``ANTIPHON_*``."""

    host: str = "127.0.0.1"
    port: Port = DEFAULT_PORT
    more_ports: tuple[Port, ...] = ()
    admin_port: Port | None = DEFAULT_ADMIN_PORT
    admin_host: str = "127.0.0.1"
    web: bool = False
    web_port: Port = DEFAULT_WEB_PORT
    data_dir: Path = msgspec.field(default_factory=default_data_dir)
    model: str = DEFAULT_MODEL
    models: tuple[ModelSettings, ...] = ()
    max_prompt_tokens: Annotated[int, Meta(ge=0, le=2_000_000)] = 0
    max_output_tokens: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    tools: ToolSettings = ToolSettings()
    env: Literal["development", "production"] = "development"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    secret_key: Secret | None = None
    secret_key_file: Path | None = None
    test_users: bool = False
    breached_passwords_file: Path | None = None
    reflection: bool | None = None
    identity_providers: tuple[IdentityProviderSettings, ...] = ()
    connections: tuple[ConnectionSettings, ...] = ()
    programs: dict[str, ProgramSettings] = {}
    max_programs: Annotated[int, Meta(ge=1, le=1000)] = MAX_PROGRAMS
    oauth_client_url: Annotated[str, Meta(pattern=r"^(https://[^/?#\s]+/[^?#\s]+)?$")] = ""
    egress_allow_hosts: tuple[str, ...] = ()
    egress_allow_networks: tuple[str, ...] = ()
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] = "console"
    log_file: Path | None = None
    error_file: bool = True
    core_dumps: bool = False
    otlp_endpoint: str = ""
    remember_by_rules: bool = False
    remember_by_model: str = ""
    summary_model: Annotated[str, Meta(max_length=128)] = ""
    external_memory: ExternalMemorySettings | None = None
    search_by_meaning: bool = True
    retention_days: Annotated[int, Meta(ge=0)] = 0
    session_idle_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    session_days: Annotated[int, Meta(ge=1, le=3650)] = 180
    access_token_minutes: Annotated[int, Meta(ge=1, le=MOST_USER_SECONDS // 60)] = 15
    behind_proxy: bool = False
    trusted_proxies: tuple[str, ...] = ()
    signing_key_days: Annotated[int, Meta(ge=1, le=365)] = 30
    services: tuple[ServiceName, ...] = NAMES
    peers: Peers = Peers()
    peer_ca: Path | None = None
    peer_cert: Path | None = None
    peer_key: Path | None = None
    database_url: Secret | None = None
    database_pool: Annotated[int, Meta(ge=2, le=200)] = 10
    several_nodes: bool = False
    node_address: str = ""
    lease_s: Annotated[float, Meta(ge=1, le=300)] = LEASE_S
    redis_url: Secret | None = None
    rate_limits: RateLimits = RateLimits()
    shares: ShareSettings = ShareSettings()
    policy_address: str = ""
    registry: str = ""
    mesh: MeshSettings = MeshSettings()
    alarms: AlarmSettings = AlarmSettings()
    drain_grace_s: Annotated[float, Meta(ge=0, le=300)] = 5.0

    def __post_init__(self) -> None:
        """Raises ValueError for what makes no sense together."""
        for registry in self.registries:
            host_and_port("registry", registry)
        if self.node_address:
            host_and_port("node_address", self.node_address)
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("give both tls_cert and tls_key, or none")
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise ValueError("tls_client_ca needs tls_cert and tls_key")
        if (self.peer_cert is None) != (self.peer_key is None):
            raise ValueError("give both peer_cert and peer_key, or none")
        if self.peer_ca is not None and (self.peer_cert or self.tls_cert) is None:
            raise ValueError("peer_ca needs peer_cert and peer_key, or tls_cert and tls_key")
        if not self.services or len(set(self.services)) != len(self.services):
            raise ValueError("services: name each service once, and at least one")
        if self.elsewhere and not self.has_given_secret:
            raise ValueError(
                "services that run apart prove who they are by one secret: give each process the "
                "same secret_key or secret_key_file"
            )
        if self.secret_key is not None and self.secret_key_file is not None:
            raise ValueError("give secret_key or secret_key_file, not both")
        check_connections(self.connections, self.programs)
        if self.external_memory is not None and "integration" in self.services:
            self.external_memory.check({it.name: it.private for it in self.connections})
        if self.test_users and not self.in_production and self._reachable:
            raise ValueError(
                "test_users: a test user is for this machine alone; leave it away "
                "(--test-user, ANTIPHON_TEST_USERS), or --host and --behind-proxy"
            )

    @property
    def shares_store(self) -> bool:
        """Whether other servers may use the same store."""
        return self.several_nodes or self.database_url is not None

    @property
    def errors_in(self) -> Path | None:
        """The file of errors; None where there shall be none, or where all logs are in a file."""
        return self.data_dir / ERROR_FILE if self.error_file and self.log_file is None else None

    @property
    def in_production(self) -> bool:
        """Whether the server runs in production, where insecure defaults keep it from starting."""
        return self.env == "production"

    @property
    def reflects(self) -> bool:
        """Whether the port answers gRPC reflection. By default only in development."""
        return not self.in_production if self.reflection is None else self.reflection

    @property
    def all_services(self) -> tuple[ServiceName, ...]:
        """The services of the installation, whichever process runs them."""
        return self.peers.names

    @property
    def elsewhere(self) -> tuple[ServiceName, ...]:
        """The services that other processes run."""
        return tuple(name for name in self.all_services if name not in self.services)

    @property
    def auth(self) -> "AuthSettings":
        """The settings of the auth service."""
        from antiphon_server.auth.model import DAY
        from antiphon_server.auth.service.opening import SessionSettings
        from antiphon_server.auth.service.signing_keys import KeySettings
        from antiphon_server.auth.service.token_settings import TokenSettings
        from antiphon_server.auth.settings import AuthSettings

        shared = self.shares_store or bool(self.elsewhere)
        return AuthSettings(
            tokens=TokenSettings(user_seconds=self.access_token_minutes * 60),
            sessions=SessionSettings(self.session_idle_days * DAY, self.session_days * DAY),
            keys=KeySettings(self.signing_key_days, shared),
            alarms=self.alarms,
            identity_providers=self.identity_providers,
            breached_passwords_file=self.breached_passwords_file,
            services=self.all_services,
            test_user=self.test_users,
        )

    @property
    def most_steps(self) -> int:
        """How often a turn asks models at most."""
        return self.tools.steps

    @property
    def tool_call_s(self) -> float:
        """How long a call of a tool may take, in seconds."""
        return self.tools.call_s

    @property
    def kept_result_bytes(self) -> int:
        """How many bytes of large results of tools are kept for each workspace."""
        return self.tools.kept_bytes

    @property
    def registries(self) -> tuple[str, ...]:
        """The registries at which services register: ``host:port`` of each edge."""
        return tuple(map(str.strip, self.registry.split(","))) if self.registry else ()

    @property
    def secret_text(self) -> str | None:
        """The installation's secret, as the environment holds it."""
        return self.secret_key.reveal() if self.secret_key else None

    @property
    def has_given_secret(self) -> bool:
        """Whether the secret was configured, so that other processes can share it."""
        return self.secret_key is not None or self.secret_key_file is not None

    @property
    def tls(self) -> TlsFiles | None:
        """The files of the port's certificate; None for a plain port."""
        if self.tls_cert is None or self.tls_key is None:
            return None
        return TlsFiles(self.tls_cert, self.tls_key, self.tls_client_ca)

    @property
    def peer_tls(self) -> TlsFiles | None:
        """What this process shows its peers, and whom it trusts; None for plain text."""
        certificate, key = self.peer_cert or self.tls_cert, self.peer_key or self.tls_key
        if self.peer_ca is None or certificate is None or key is None:
            return None
        return TlsFiles(certificate, key, self.peer_ca)

    @property
    def _reachable(self) -> bool:
        """Whether others may reach the port, by themselves or through a proxy."""
        return self.behind_proxy or not self.on_loopback

    @property
    def has_links(self) -> bool:
        """Whether the pages sign the local operator in by a link."""
        return self.web and not self._reachable and not self.in_production

    @property
    def on_loopback(self) -> bool:
        """Whether the port is reachable from this machine only."""
        return is_loopback(self.host)

    def all_models(self) -> tuple[ModelSettings, ...]:
        """Return the configured models, the default first.

        Raises WrongSetting if the default is neither configured nor known by its name.
        """
        named = {model.name: model for model in self.models}
        default = named.pop(self.model, None) or model_named(self.model)
        return (default, *named.values())

    def egress(self) -> EgressPolicy:
        """Where calls may go that users and workspaces name. Raises WrongSetting."""
        try:
            return EgressPolicy.allowing(self.egress_allow_hosts, self.egress_allow_networks)
        except ValueError as error:
            raise WrongSetting(f"egress_allow_networks: {error}") from error

    def proxy_networks(self) -> tuple[Network, ...]:
        """The networks of ``trusted_proxies``. Raises WrongSetting."""
        try:
            return tuple(map(ipaddress.ip_network, self.trusted_proxies))
        except ValueError as error:
            raise WrongSetting(f"trusted_proxies: {error}") from error


def read_settings(**given: Any) -> Settings:
    """Return the settings: ``given`` first, then the environment, then the defaults.

    Raises WrongSetting.
    """
    try:
        settings = configured({**from_environment(PREFIX, Settings, os.environ), **given}, Settings)
        settings.all_models()
        settings.proxy_networks()
        settings.egress()
        one_of_each_name(settings.identity_providers)
    except WrongSetting as error:
        raise WrongSetting(_with_variables(str(error), given)) from error
    return settings


def _with_variables(sentence: str, given: Mapping[str, Any]) -> str:
    """The sentence with variables in place of fields, unless it is about what was ``given``."""
    if any(re.search(rf"\b{name}\b", sentence) for name in given):
        return sentence
    fields = sorted(Settings.__struct_fields__, key=len, reverse=True)
    words = "|".join(name for name in fields if "_" in name)
    pattern = rf"^({'|'.join(fields)})(?=[:.\[])|\b({words})\b"
    return re.sub(pattern, lambda found: PREFIX + found[0].upper(), sentence)
