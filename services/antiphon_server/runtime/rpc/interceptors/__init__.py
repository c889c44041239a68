"""What surrounds every RPC, on real servers and local channels alike.

From the outside in: telemetry, errors, address, its rate limits, authentication, the
principal's rate limits, validation, access.
"""
