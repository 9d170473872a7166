"""Agora Cloud Recording: the client of its REST API, its webhooks, and a simulator of the service."""
