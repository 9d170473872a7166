"""Commands that speak to a running server, as any other client does: over its interface, with a token."""
