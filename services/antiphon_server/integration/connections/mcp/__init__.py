"""MCP: servers over HTTP and programs over stdio, whose tools can be called."""
