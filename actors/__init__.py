"""The core: what a recording is, and the actor per meeting that owns it.

Knows nothing of HTTP, SQL, Redis or Agora's wire format.
"""
