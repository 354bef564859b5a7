"""How a change travels: pulled, planned, pushed, each step against a real store and a stand-in behind a socket."""
