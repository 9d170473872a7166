"""The command line, called as the entry point calls it."""

import stat
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from clients.agora.simulator.faults import NAMES
from server.auth import Authenticator, Role, load_or_create_secret
from server.config import Config, ConfigError
from tests.unit.server.commanded import called

pytestmark = pytest.mark.usefixtures("alone")

SECRET = "of-the-environment-and-long-enough-too"


def principal_of(token: str, secret: str):  # type: ignore[no-untyped-def]
    return Authenticator([secret], leeway_seconds=0, cache_max=1).authenticate(token)


def module(monkeypatch: pytest.MonkeyPatch, name: str, **functions: object) -> None:
    made = ModuleType(name)
    vars(made).update(functions)
    monkeypatch.setitem(sys.modules, name, made)


@pytest.mark.parametrize("command", [[], ["serve"], ["token"], ["migrate"]])
def test_every_command_explains_itself(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert called(*command, "--help") == 0
    assert "Usage: tapedeck" in capsys.readouterr().out


def test_a_token_stands_alone_and_is_the_servers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("token") == 0
    out, err = capsys.readouterr()
    assert (out.count("\n"), err) == (1, "")
    principal = principal_of(out.strip(), load_or_create_secret(tmp_path / "data"))
    assert (principal.sub, principal.meetings, principal.is_operator) == ("developer", {"*": Role.HOST}, False)
    assert stat.S_IMODE((tmp_path / "data" / "jwt-secret").stat().st_mode) == 0o600


def test_a_token_holds_what_was_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TAPEDECK_JWT_SECRET", f"{SECRET},{'x' * 32}")
    options = [
        "--sub",
        "anna",
        "--meeting",
        "m-1",
        "--meeting",
        "m-2",
        "--role",
        "CO_HOST",
        "--operator",
        "--ttl",
        "60",
    ]
    assert called("token", *options) == 0
    principal = principal_of(capsys.readouterr().out.strip(), SECRET)
    assert (principal.sub, principal.is_operator) == ("anna", True)
    assert principal.meetings == {"m-1": Role.CO_HOST, "m-2": Role.CO_HOST}


def test_a_token_of_a_key_set_alone_is_minted_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAPEDECK_JWKS", "https://id.example/keys")
    assert called("token") == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "needs TAPEDECK_JWT_SECRET" in err


@pytest.mark.parametrize(
    "arguments", [["token", "--role", "BOSS"], ["token", "--ttl", "0"], ["token", "--frob"], ["frob"], []]
)
def test_a_bad_command_line_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert called(*arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--sub", ""], "tapedeck: sub is a text of 1 to 255 characters\n"),
        (["--ttl", str(10**14)], "tapedeck: exp is Unix time in seconds\n"),
    ],
)
def test_a_token_that_no_server_takes_is_not_printed(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called("token", *arguments) == 2
    assert tuple(capsys.readouterr()) == ("", line)


@pytest.mark.parametrize("command", ["serve", "token", "migrate"])
def test_a_bad_configuration_is_one_line(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAPEDECK_HTTP__FROB", "1")
    assert called(command) == 2
    assert capsys.readouterr().err == "tapedeck: TAPEDECK_HTTP__FROB: there is no such setting\n"


def test_serve_runs_the_server_with_its_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Config] = []
    module(monkeypatch, "server.main", serve=seen.append)
    (tmp_path / "mine.toml").write_text("[server]\nport = 4000\n")
    assert called("serve", "--config", str(tmp_path / "mine.toml")) == 0
    assert [config.server.port for config in seen] == [4000]


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (OSError("address in use:\n port 3002"), 1, "tapedeck: address in use: port 3002\n"),
        (ConfigError("no such host"), 2, "tapedeck: no such host\n"),
    ],
)
def test_what_the_system_refuses_is_one_line(
    error: Exception, code: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Config) -> None:
        raise error

    module(monkeypatch, "server.main", serve=fail)
    assert called("serve") == code
    assert capsys.readouterr().err == line


def test_simulate_has_the_options_of_its_function(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[int, bool]] = []

    def simulate(port: int = 8099, control_open: bool = False) -> None:
        """Serve Agora's REST API."""
        seen.append((port, control_open))

    module(monkeypatch, "server.simulate", simulate=simulate)
    assert called("simulate", "--port", "7000", "--control-open") == 0
    assert called("simulate", "--help") == 0
    assert called("simulate", "--frob") == 2
    assert seen == [(7000, True)]
    out = capsys.readouterr().out
    assert "Usage: tapedeck simulate" in out
    assert "--control-open" in out


def test_migrate_upgrades_the_external_database(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[str] = []
    module(monkeypatch, "clients.postgres.migrate", upgrade=seen.append)
    assert called("migrate") == 2
    assert "DATABASE_URL: is not set" in capsys.readouterr().err
    monkeypatch.setenv("DATABASE_URL", "postgresql://host/db")
    assert called("migrate") == 0
    assert seen == ["postgresql://host/db"]


def test_the_module_is_the_serve_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "server", "--config", "missing.toml"],
        cwd=Path(__file__).parents[3],
        env={"TAPEDECK_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "tapedeck: missing.toml: No such file or directory\n"


def test_a_token_needs_none_of_the_heavy_parts() -> None:
    code = (
        "import sys\nfrom server.cli import main\ntry:\n    main(['token', '--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'aiohttp', 'sqlalchemy', 'av', 'asyncpg', 'structlog'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_start_on_a_database_that_has_the_schema_needs_nothing_that_makes_one() -> None:
    code = "import sys, server.main\nprint(sorted({'alembic', 'sqlalchemy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_a_fault_that_does_not_exist_ends_the_start_with_the_list_of_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAPEDECK_SIMULATOR__FAULTS", '{"start.nonsense": 1}')
    assert called("serve") == 2
    by_server = capsys.readouterr().err
    assert called("simulate", "--storage", "media", "--fault", "start.nonsense=1") == 2
    by_simulator = capsys.readouterr().err
    assert (by_server.count("\n"), by_simulator.count("\n")) == (1, 1)
    for name in ("start.nonsense", *NAMES):
        assert name in by_server
        assert name in by_simulator
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.parametrize("fault", ["start.slow=2", "start.slow=nan", "start.slow=-1", "start.slow=often", "start.slow"])
def test_a_probability_is_a_number_from_0_to_1(fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("simulate", "--storage", "media", "--fault", fault) == 2
    assert "start.slow" in capsys.readouterr().err
