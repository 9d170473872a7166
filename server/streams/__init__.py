"""Event streams: who listens at this node, and how each event reaches them once, in order, encoded once."""
