"""What surrounds every RPC, on real servers and local channels alike.

From the outside in: telemetry, errors, address, authentication, validation, access.
"""
