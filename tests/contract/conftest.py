"""The simulator for contracts, as the integration tests have it, and both databases."""

from tests.contract.databases import db
from tests.integration.conftest import begin, receiver, tone

__all__ = ["begin", "db", "receiver", "tone"]
