"""The mesh: Envoy before the services, and what tells it where they are."""
