"""Lets kicking rules take effect: when the delay is over, whom they match leaves (channel management 1.4, 5)."""

import asyncio

from clients.agora.simulator.rules import Rule, Rules
from clients.agora.simulator.service import Service


class Bans:
    """A rule strikes once. What it refuses afterwards is asked of `Rules` at each join."""

    def __init__(self, rules: Rules, service: Service) -> None:
        self._rules = rules
        self._service = service
        self._changed = asyncio.Event()
        self.now_ms = service.now_ms

    def add(self, rule: Rule) -> None:
        """Keep a new rule, and strike when its time comes."""
        self._rules.sweep(rule.created_at)
        self._rules.keep(rule)
        self._changed.set()

    def strike(self) -> None:
        """Put out whom the rules that are due match; also what became due while the simulator was dead."""
        for rule in self._rules.due(self.now_ms()):
            self._service.put_out(rule)
            rule.struck = True
            self._rules.keep(rule)

    async def run(self) -> None:
        """Strike at each rule's time, until cancelled."""
        while True:
            self._changed.clear()
            self.strike()
            next_at = self._rules.next_strike()
            pause = None if next_at is None else max(next_at - self.now_ms(), 0) / 1000
            try:
                async with asyncio.timeout(pause):
                    await self._changed.wait()
            except TimeoutError:
                pass
