"""The rules of identity, one file per noun. They know neither gRPC nor SQL."""
