"""What a simulator is told at its start. Every time of the service is a knob here (reference 12.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """`app_id`, `customer_id`, `customer_secret` None: any is taken. `faults`: probabilities by name."""

    state_dir: Path
    storage_root: Path
    amazon: bool = False
    """Whether storage vendor 1 is Amazon itself, and not the folder."""
    app_id: str | None = None
    customer_id: str | None = None
    customer_secret: str | None = None
    webhook_url: str | None = None
    webhook_secret: str = ""
    slice_seconds: float = 15.0
    max_recorders: int = 50
    requests_per_second: float = 10.0
    rules_per_second: float = 10.0
    lists_per_second: float = 20.0
    rule_delay_seconds: float = 1.0
    list_lag_seconds: float = 0.5
    media: str = "tone"
    faults: Mapping[str, float] = field(default_factory=dict)
    seed: int | None = None
    control_open: bool = False
    resource_seconds: float = 300.0
    ready_seconds: float = 0.3
    leaving_seconds: float = 2.0
    stop_seconds_max: float = 20.0
    webhook_seconds: float = 10.0
    people_seconds: float = 3600.0
    """So long after the simulator's death the people in its channels leave."""
