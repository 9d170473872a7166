"""Postgres and Valkey as child processes, for one host: nothing to install, nothing to configure, no port."""
