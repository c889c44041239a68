"""Services over HTTP that an OpenAPI document describes, whose operations are tools."""
