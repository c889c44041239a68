"""gRPC's server side: methods, interceptors, streams, health, pages."""
