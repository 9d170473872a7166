"""The rules of `decide`, a module for each kind of command."""
