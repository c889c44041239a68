"""The control plane's side of xDS: what Envoys ask, and what they are told."""
