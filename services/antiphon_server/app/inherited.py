"""Which settings of `antiphon up --mesh` its servers have, too."""

from collections.abc import Mapping

from antiphon_server.settings import PREFIX

INHERITED = frozenset(
    {
        "model",
        "models",
        "max_prompt_tokens",
        "max_output_tokens",
        "tools",
        "connections",
        "programs",
        "max_programs",
        "oauth_client_url",
        "egress_allow_hosts",
        "egress_allow_networks",
        "shares",
        "env",
        "secret_key",
        "secret_key_file",
        "test_users",
        "breached_passwords_file",
        "reflection",
        "identity_providers",
        "log_level",
        "log_format",
        "error_file",
        "core_dumps",
        "otlp_endpoint",
        "remember_by_rules",
        "remember_by_model",
        "summary_model",
        "external_memory",
        "search_by_meaning",
        "retention_days",
        "session_idle_days",
        "session_days",
        "access_token_minutes",
        "trusted_proxies",
        "signing_key_days",
        "database_url",
        "database_pool",
        "several_nodes",
        "lease_s",
        "redis_url",
        "rate_limits",
        "policy_address",
        "alarms",
        "drain_grace_s",
    }
)
"""All others are the edge's, which does that in the servers' place, or each server's own."""


def inherited(variables: Mapping[str, str]) -> dict[str, str]:
    """What of these a server gets; what is not of this product is every process's."""
    ours = {PREFIX + name.upper() for name in INHERITED}
    return {
        name: value
        for name, value in variables.items()
        if name in ours or not name.startswith(PREFIX)
    }
