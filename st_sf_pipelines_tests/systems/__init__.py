"""The systems that we talk to, each behind a real socket: the HTTP client, tokens, sessions, readers and writers."""
