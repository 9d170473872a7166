"""Redis or Valkey: hints between nodes and a cache. It may vanish at any time without losing a fact."""
