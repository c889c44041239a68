"""The alerts of deploy/prometheus, asked of Prometheus' own promtool about a server's figures."""
