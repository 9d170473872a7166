"""What the server says of its own interface: OpenAPI's examples, AsyncAPI, and the pages for people."""
