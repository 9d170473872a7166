"""Pure rules: no await, no I/O, no clock, no chance, no logging. Time and ids come in as values."""
