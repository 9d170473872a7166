"""The deterministic simulation: the shipped actors on a virtual clock, with fakes that fail as drawn from a seed."""
