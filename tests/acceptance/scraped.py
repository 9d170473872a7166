"""`/metrics` of a running server, read as Prometheus reads it."""

from collections import Counter

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.running import RunningServer


class Scraped:
    """One scrape: the value of a sample by its name without prefix, and its labels."""

    def __init__(self, text: str) -> None:
        self.families = {family.name: family.type for family in text_string_to_metric_families(text)}
        self._samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        return self._samples.get((f"tapedeck_{name}", frozenset(labels.items())), 0.0)

    def by(self, name: str, *labels: str) -> Counter[tuple[str, ...]]:
        """All samples of a name, by the values of those labels."""
        found: Counter[tuple[str, ...]] = Counter()
        for (sample, pairs), value in self._samples.items():
            if sample == f"tapedeck_{name}":
                found[tuple(dict(pairs)[label] for label in labels)] += int(value)
        return found


async def scrape(http: aiohttp.ClientSession, server: RunningServer) -> Scraped:
    async with http.get(f"{server.url}/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        return Scraped(await response.text())
