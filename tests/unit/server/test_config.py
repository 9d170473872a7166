"""The settings: what the file and the environment give, what is refused, and which modes follow."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from server.config import Config, ConfigError, check_modes, load_config
from server.environment import USUAL_NAMES, fields_of, is_secret, read_environment

REPOSITORY = Path(__file__).parents[3]
CONFIG_TOML = REPOSITORY / "config.toml"
AGORA = {"AGORA_APP_ID": "app", "AGORA_CUSTOMER_ID": "customer", "AGORA_CUSTOMER_SECRET": "s3cr3t-value"}
S3 = {"AWS_S3_BUCKET": "b", "AWS_REGION": "eu-west-1"}
ELSEWHERE = {"AGORA_BASE_URL": "http://127.0.0.1:8099"}


def load(environ: dict[str, str] | None = None, *, text: str = "", folder: Path | None = None) -> Config:
    path = CONFIG_TOML
    if folder is not None:
        path = folder / "config.toml"
        path.write_text(text)
    return load_config(path, environ or {})


def plain(model: BaseModel) -> Any:
    return model.model_dump(mode="json")


def test_the_file_of_the_repository_repeats_every_default() -> None:
    assert load() == Config()


def test_the_file_has_every_key_with_its_default_and_a_comment() -> None:
    text = CONFIG_TOML.read_text()
    tables = re.split(r"^\[(\w+)\]$", text, flags=re.M)
    sections = dict(zip(tables[1::2], tables[2::2], strict=True))
    assert list(sections) == list(Config.model_fields)
    defaults = plain(Config())
    for section, body in sections.items():
        written = tomllib.loads(body)
        for key, default in defaults[section].items():
            line = re.search(rf"^(# )?{key} = .*#?", body, flags=re.M)
            assert line, f"{section}.{key} is missing"
            assert (line[1] is None) == (default is not None), f"{section}.{key} is unset by default, or the reverse"
            assert written.get(key) == default, f"{section}.{key}"
            assert re.search(rf"^(# )?{key} = .*\S\s+# \S", body, flags=re.M), f"{section}.{key} has no comment"


def test_every_default_of_unset_keys_is_marked_secret_where_it_is_one() -> None:
    text = CONFIG_TOML.read_text()
    for (section, key), field in fields_of(Config).items():
        if is_secret(field):
            assert re.search(rf"^# {key} = \"\" +# secret", text, flags=re.M), f"{section}.{key}"


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_config(None, {}) == Config()


def test_the_variable_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[server]\nport = 4000\n")
    assert load_config(None, {"TAPEDECK_CONFIG": str(tmp_path / "mine.toml")}).server.port == 4000


def test_the_working_directory_comes_before_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.toml").write_text("[server]\nport = 4001\n")
    monkeypatch.chdir(tmp_path)
    assert load_config(None, {}).server.port == 4001


SETTINGS = [
    ("PORT", "4000", "server", "port", 4000),
    ("HOST", "::1", "server", "host", "::1"),
    ("TAPEDECK_REQUIRE_REAL", "false", "server", "require_real", False),
    ("TAPEDECK_STORAGE__PATH", "/media", "storage", "path", Path("/media")),
    ("TAPEDECK_DATA_DIR", "/data", "server", "data_dir", Path("/data")),
    ("TAPEDECK_PUBLIC_URL", "https://rec.example.com", "server", "public_url", "https://rec.example.com"),
    ("TAPEDECK_HTTP__CORS_ORIGINS", '["https://a.example"]', "http", "cors_origins", ("https://a.example",)),
    ("TAPEDECK_SIMULATOR__FAULTS", '{"stop.late": 0.5}', "simulator", "faults", {"stop.late": 0.5}),
    ("TAPEDECK_SIMULATOR__SEED", "7", "simulator", "seed", 7),
    ("TAPEDECK_PROOF__TOLERANCE_RATIO", "0.1", "proof", "tolerance_ratio", 0.1),
    ("TAPEDECK_DATABASE__MIGRATE_ON_START", "false", "database", "migrate_on_start", False),
    ("TAPEDECK_RECORDING__CONFIRM_DELAYS_SECONDS", "[1, 2.5]", "recording", "confirm_delays_seconds", (1.0, 2.5)),
    ("TAPEDECK_JWKS", "keys/set.json", "auth", "jwks", "keys/set.json"),
    ("TAPEDECK_JWKS", "https://id.example/keys?app=1", "auth", "jwks", "https://id.example/keys?app=1"),
    ("TAPEDECK_LOG__FORMAT", "json", "log", "format", "json"),
    ("AGORA_BASE_URL", "http://127.0.0.1:8099", "agora", "base_url", "http://127.0.0.1:8099"),
]


@pytest.mark.parametrize(("variable", "text", "section", "key", "expected"), SETTINGS)
def test_the_environment_overrides(variable: str, text: str, section: str, key: str, expected: object) -> None:
    assert getattr(getattr(load({variable: text}), section), key) == expected


def test_the_environment_beats_the_file(tmp_path: Path) -> None:
    config = load({"PORT": "5000"}, text="[server]\nport = 4000\nhost = '0.0.0.0'\n", folder=tmp_path)
    assert (config.server.port, config.server.host) == (5000, "0.0.0.0")


def test_the_own_name_beats_the_usual_one() -> None:
    assert load({"PORT": "5000", "TAPEDECK_SERVER__PORT": "6000"}).server.port == 6000


def test_an_empty_variable_is_unset() -> None:
    assert load({"PORT": "", "AGORA_APP_ID": "", "TAPEDECK_JWKS": ""}) == Config()


@pytest.mark.parametrize(("variable", "place"), USUAL_NAMES.items())
def test_every_usual_name_leads_to_a_setting(variable: str, place: tuple[str, str]) -> None:
    text = "http://host" if variable.endswith(("_URL", "_URL_S3")) else "1"
    assert list(read_environment(Config, {variable: text})) == [place]


BAD_FILES = [
    ("[server]\nporty = 1\n", "server.porty: there is no such setting"),
    ("[sever]\nport = 1\n", "sever: there is no such setting"),
    ("port = 1\n", "port: there is no such setting"),
    ('[server]\nport = "3002"\n', "server.port"),
    ("[server]\nport = 3002.0\n", "server.port"),
    ("[server]\nport = 70000\n", "server.port"),
    ("[server]\nrequire_real = 1\n", "server.require_real"),
    ("[http]\ncors_origins = ['*']\n", "http.cors_origins"),
    ("[http]\nuri_bytes_max = true\n", "http.uri_bytes_max"),
    ("[recording]\nmax_idle_seconds = 4\n", "recording.max_idle_seconds"),
    ("[recording]\nconfirm_delays_seconds = []\n", "recording.confirm_delays_seconds"),
    ("[drain]\nseconds = inf\n", "drain.seconds"),
    ("[drain]\nseconds = nan\n", "drain.seconds"),
    ("[access]\nplayback_roles = ['BOSS']\n", "access.playback_roles"),
    ("[playback]\nexpires_seconds_default = 50000\n", "playback.expires_seconds_default"),
    ("[simulator]\nfaults = {a = 2}\n", "simulator.faults.a"),
    ("[server\n", "config.toml"),
    ("[agora]\ncustomer_secret = 'hush-hush'\n", "AGORA__CUSTOMER_SECRET"),
    ("[auth]\njwt_secret = 'hush-hush'\n", "AUTH__JWT_SECRET"),
    ("[database]\nurl = 'postgresql://u:hush-hush@h/d'\n", "DATABASE__URL"),
]


@pytest.mark.parametrize(("text", "named"), BAD_FILES)
def test_a_bad_file_is_refused_in_one_line(text: str, named: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load(text=text, folder=tmp_path)
    assert named in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "hush-hush" not in str(raised.value)


BAD_ENVIRONMENTS = [
    ({"PORT": "abc"}, "PORT: "),
    ({"TAPEDECK_REQUIRE_REAL": "perhaps"}, "TAPEDECK_REQUIRE_REAL: "),
    ({"TAPEDECK_REQUIRE_REEL": "true"}, "did you mean TAPEDECK_REQUIRE_REAL?"),
    ({"TAPEDECK_HTTP__BODY_BYTE_MAX": "1"}, "did you mean TAPEDECK_HTTP__BODY_BYTES_MAX?"),
    ({"TAPEDECK_NOTHING__HERE": "1"}, "TAPEDECK_NOTHING__HERE: there is no such setting"),
    ({"TAPEDECK_HTTP__CORS_ORIGINS": "https://a.example"}, "TAPEDECK_HTTP__CORS_ORIGINS: "),
    ({"TAPEDECK_HTTP__CORS_ORIGINS": '{"a": 1}'}, "TAPEDECK_HTTP__CORS_ORIGINS: "),
    ({"TAPEDECK_HTTP__URI_BYTES_MAX": "1"}, "TAPEDECK_HTTP__URI_BYTES_MAX: "),
    ({"TAPEDECK_JWKS": "file:///keys.json"}, "TAPEDECK_JWKS: "),
    ({"TAPEDECK_JWKS": "https://user:hush-hush@id.example/keys"}, "TAPEDECK_JWKS: "),
    ({"TAPEDECK_JWKS": "https:///keys"}, "TAPEDECK_JWKS: "),
    ({"TAPEDECK_JWKS": "https://id.example/keys#first"}, "TAPEDECK_JWKS: "),
    ({"TAPEDECK_SIMULATOR__FAULTS": "[" * 100_000}, "TAPEDECK_SIMULATOR__FAULTS: a list or table"),
    ({"TAPEDECK_NODE_URL": "a"}, "TAPEDECK_NODE_URL: "),
    ({"TAPEDECK_NODE__SILENT_SECONDS": "8"}, "let_go_seconds"),
    ({"DATABASE_URL": "mysql://u:hush-hush@h/d"}, "DATABASE_URL: "),
    ({"REDIS_URL": "hush-hush"}, "REDIS_URL: "),
    ({"AGORA_BASE_URL": "api.agora.io"}, "AGORA_BASE_URL: "),
    ({"AGORA_CUSTOMER_SECRET": "hush-hush", "AGORA_CUSTOMER_SECRET_FILE": "x"}, "AGORA_CUSTOMER_SECRET_FILE"),
    ({"AGORA_APP_ID": "a"}, "set AGORA_CUSTOMER_ID and AGORA_CUSTOMER_SECRET too"),
    ({"AGORA_APP_ID": "a", "AGORA_CUSTOMER_ID": "b"}, "set AGORA_CUSTOMER_SECRET too"),
    ({"AGORA_CUSTOMER_ID": "b", "AGORA_CUSTOMER_SECRET": "hush-hush"}, "set AGORA_APP_ID too"),
    ({"AWS_S3_BUCKET": "b"}, "AWS_REGION is missing"),
    ({"AWS_REGION": "eu-west-1"}, "AWS_S3_BUCKET is missing"),
    ({"AWS_REGION_ID": "0"}, "AWS_REGION is missing"),
    ({"AWS_REGION_ID": "east", "AWS_REGION": "us-east-1", "AWS_S3_BUCKET": "b"}, "AWS_REGION_ID: "),
    ({"AWS_ENDPOINT_URL_S3": "https://u:hush-hush@s3.example", **S3}, "AWS_ENDPOINT_URL_S3: "),
    ({"AWS_ACCESS_KEY_ID": "k", **S3}, "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is missing"),
    ({"AWS_SECRET_ACCESS_KEY": "hush-hush", **S3}, "AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is missing"),
    ({"AWS_SESSION_TOKEN": "hush-hush", **S3}, "AWS_SESSION_TOKEN is set and AWS_ACCESS_KEY_ID is missing"),
    ({"TAPEDECK_STORAGE__RECORDER_ACCESS_KEY": "k", **S3}, "TAPEDECK_STORAGE__RECORDER_SECRET_KEY is missing"),
    ({"TAPEDECK_STORAGE__RECORDER_SECRET_KEY": "hush-hush", **S3}, "TAPEDECK_STORAGE__RECORDER_ACCESS_KEY is missing"),
    ({"TAPEDECK_STORAGE__KMS_KEY": "k", **S3}, 'storage.encryption is not "aws:kms"'),
    ({"TAPEDECK_STORAGE__ENCRYPTION": "rot13", **S3}, "TAPEDECK_STORAGE__ENCRYPTION: "),
    ({"TAPEDECK_STORAGE__PART_BYTES": "5242879", **S3}, "TAPEDECK_STORAGE__PART_BYTES: "),
    (AGORA, "live Agora needs S3"),
    ({"TAPEDECK_RECORDING__FAILOVER_WINDOW_SECONDS": "89", **AGORA}, "recording.failover_window_seconds is below 90"),
    ({"TAPEDECK_RECORDING__QUERY_MISSES_MIN": "2", **AGORA}, "recording.query_misses_min is below 3"),
    ({"TAPEDECK_RECORDING__MAX_AGE_SECONDS": "86401"}, "TAPEDECK_RECORDING__MAX_AGE_SECONDS: "),
    ({"TAPEDECK_REQUIRE_REAL": "true"}, "TAPEDECK_REQUIRE_REAL refuses the Agora simulator"),
    ({"TAPEDECK_REQUIRE_REAL": "true", **AGORA}, "TAPEDECK_REQUIRE_REAL refuses local storage"),
]


@pytest.mark.parametrize(("environ", "named"), BAD_ENVIRONMENTS)
def test_a_bad_environment_is_refused_in_one_line(environ: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(environ)
    assert named in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "hush-hush" not in str(raised.value)


def test_a_simulator_may_be_hastened() -> None:
    assert load({"TAPEDECK_RECORDING__FAILOVER_WINDOW_SECONDS": "3"}).recording.failover_window_seconds == 3


def test_variables_of_others_with_our_prefix_are_left_alone() -> None:
    kubernetes = {"TAPEDECK_SERVICE_HOST": "10.0.0.1", "TAPEDECK_PORT": "tcp://10.0.0.1:80", "AWS_PROFILE": "x"}
    assert load(kubernetes) == Config()


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=re.escape(str(tmp_path / name))):
        load_config(tmp_path / name, {})


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"config\.toml"):
        load_config(tmp_path / "config.toml", {})


@pytest.mark.parametrize("variable", ["AGORA_WEBHOOK_SECRET_FILE", "TAPEDECK_AGORA__WEBHOOK_SECRET_FILE"])
def test_a_secret_may_come_from_a_file(variable: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-the-file\n")
    secret = load({variable: str(tmp_path / "secret")}).agora.webhook_secret
    assert secret is not None
    assert secret.get_secret_value() == "from-the-file"


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), (b" \n", "is empty"), (b"\xff", "not UTF-8")])
def test_a_secret_file_that_holds_none_is_named(content: bytes | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"AGORA_WEBHOOK_SECRET_FILE: .*{reason}"):
        load({"AGORA_WEBHOOK_SECRET_FILE": str(path)})


def test_only_secrets_have_files() -> None:
    with pytest.raises(ConfigError, match="TAPEDECK_SERVER__PORT_FILE"):
        load({"TAPEDECK_SERVER__PORT_FILE": "x"})


def test_no_secret_shows_in_the_text_of_a_configuration() -> None:
    config = load({**AGORA, **ELSEWHERE, "DATABASE_URL": "postgresql://u:s3cr3t-value@h/d"})
    assert "s3cr3t-value" not in repr(config)
    assert "s3cr3t-value" not in str(plain(config))


def test_the_default_is_simulated_local_and_embedded() -> None:
    config = load()
    modes = (config.agora_mode, config.storage_mode, config.database_mode, config.redis_mode)
    assert modes == ("simulated", "local", "embedded", "embedded")


def test_a_bucket_and_a_region_make_it_s3_and_live_agora_takes_it() -> None:
    assert load(S3).storage_mode == "s3"
    assert load({**S3, **AGORA, "TAPEDECK_REQUIRE_REAL": "true"}).agora_mode == "live"


def test_keys_of_other_tools_do_not_matter_to_local_storage() -> None:
    assert load({"AWS_ACCESS_KEY_ID": "k", "AWS_SESSION_TOKEN": "t"}).storage_mode == "local"


def test_urls_of_databases_make_them_external() -> None:
    config = load({"DATABASE_URL": "postgresql://h/d", "REDIS_URL": "redis://h"})
    assert (config.database_mode, config.redis_mode) == ("external", "external")


@pytest.mark.parametrize(
    ("variable", "scheme"),
    [
        ("TAPEDECK_PUBLIC_URL", "https"),
        ("TAPEDECK_JWKS", "https"),
        ("AGORA_BASE_URL", "https"),
        ("AWS_ENDPOINT_URL_S3", "https"),
        ("DATABASE_URL", "postgresql"),
        ("REDIS_URL", "redis"),
    ],
)
def test_a_url_that_cannot_be_read_is_named_and_not_shown(variable: str, scheme: str) -> None:
    rests = ["user:hidden@[::1"] + ([] if variable == "DATABASE_URL" else ["user:hidden@host:seventy", "host:70000"])
    for rest in rests:
        with pytest.raises(ConfigError) as raised:
            load({variable: f"{scheme}://{rest}"})
        assert str(raised.value) == f"{variable}: its host or port cannot be read"


def test_a_database_may_have_several_hosts() -> None:
    assert load({"DATABASE_URL": "postgresql://one:5432,other:5432/d"}).database_mode == "external"


@pytest.mark.parametrize("host", ["http://127.0.0.1:8099", "https://api.agora.io.example.com", "https://notagora.io"])
@pytest.mark.parametrize("credentials", [{}, AGORA])
def test_a_host_outside_agoras_domains_is_asked(host: str, credentials: dict[str, str]) -> None:
    config = load({"AGORA_BASE_URL": host, **credentials})
    assert config.agora_mode == "ask"
    check_modes(config, "simulated")
    with pytest.raises(ConfigError, match="live Agora needs S3"):
        check_modes(config, "live")


@pytest.mark.parametrize("host", ["https://api.agora.io", "https://api-eu-west-1.sd-rtn.com"])
def test_agoras_own_domains_without_credentials_are_simulated(host: str) -> None:
    assert load({"AGORA_BASE_URL": host}).agora_mode == "simulated"


def test_real_parts_may_be_required_of_a_host_that_is_asked() -> None:
    config = load({**ELSEWHERE, "TAPEDECK_REQUIRE_REAL": "true"})
    with pytest.raises(ConfigError, match="TAPEDECK_REQUIRE_REAL refuses the Agora simulator"):
        check_modes(config, "simulated")


PUBLIC_URLS = [
    ({}, "http://127.0.0.1:3002"),
    ({"HOST": "0.0.0.0", "PORT": "80"}, "http://127.0.0.1:80"),
    ({"HOST": "::"}, "http://[::1]:3002"),
    ({"TAPEDECK_PUBLIC_URL": "https://rec.example.com/base/"}, "https://rec.example.com/base"),
]


@pytest.mark.parametrize(("environ", "expected"), PUBLIC_URLS)
def test_the_public_url_follows_from_host_and_port(environ: dict[str, str], expected: str) -> None:
    assert load(environ).public_url == expected


def test_local_media_lies_in_the_data_directory_unless_said_otherwise(tmp_path: Path) -> None:
    data = {"TAPEDECK_DATA_DIR": str(tmp_path / "data")}
    assert load(data).storage_path == tmp_path / "data" / "media"
    assert load({**data, "TAPEDECK_STORAGE__PATH": str(tmp_path / "else")}).storage_path == tmp_path / "else"
    assert load().data_dir.is_absolute()
