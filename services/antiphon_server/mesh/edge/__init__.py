"""Envoy's configuration as typed Python; import it when it is used: its types take 1.6 s."""
