"""The dashboard and the alerts over what a real mesh says under load: read by a real Prometheus."""
