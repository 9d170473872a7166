"""Looks that try a thing out, as a recording would use it, before a recording does."""
