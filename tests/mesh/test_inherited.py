"""What servers of `up --mesh` have of the settings that it was given."""

import msgspec

from antiphon_server.app.inherited import INHERITED, inherited
from antiphon_server.settings import PREFIX, Settings

OWN = {
    *("host", "port", "more_ports", "admin_port", "admin_host", "data_dir", "node_address"),
    *("web", "web_port", "log_file", "registry", "behind_proxy", "services"),
}
OF_THE_EDGE = {"tls_cert", "tls_key", "tls_client_ca", "mesh"}
OF_PEERS = {"peers", "peer_ca", "peer_cert", "peer_key"}


def test_of_every_setting_it_is_known_whose_it_is() -> None:
    """A new one reaches no server by accident, and is not kept from them by one."""
    known = {field.name for field in msgspec.structs.fields(Settings)}
    assert known == INHERITED | OWN | OF_THE_EDGE | OF_PEERS
    assert not INHERITED & (OWN | OF_THE_EDGE | OF_PEERS)


def test_two_servers_do_not_open_one_port() -> None:
    """Ports, folders and certificates are not handed on; models, stores and other variables are."""
    handed = {f"{PREFIX}MODEL": "openai/x", "OPENAI_API_KEY": "k", "PATH": "/bin"}
    kept = {f"{PREFIX}MORE_PORTS": "[7451]", f"{PREFIX}TLS_KEY": "a.pem", f"{PREFIX}PORT": "1"}
    assert inherited(handed | kept) == handed
