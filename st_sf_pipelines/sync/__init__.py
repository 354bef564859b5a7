"""How a change travels, one verb a file; it knows the systems by their ports alone."""
