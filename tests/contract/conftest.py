"""The simulator for contracts, as the integration tests have it."""

from tests.integration.conftest import begin, receiver, tone

__all__ = ["begin", "receiver", "tone"]
