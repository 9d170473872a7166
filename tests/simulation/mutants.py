"""The protective rules, each with the text that keeps it and a case that breaks a promise without it: `mutants.toml`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent / "mutants.toml"


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` stands in `file` exactly once. `case`: as `cases.run_case` has it. `why`: what the rule protects from."""

    name: str
    file: str
    old: str
    new: str
    case: str
    why: str


MUTANTS = tuple(Mutant(**fields) for fields in tomllib.loads(FILE.read_text())["mutant"])
