"""What a start says on the terminal: what runs where, in which mode, and what to try next."""

from collections.abc import Mapping, Sequence

from server.config import Config

SIMULATED = "simulated: nothing is recorded of any real meeting"
EMBEDDED = f"{SIMULATED}; set AGORA_APP_ID, AGORA_CUSTOMER_ID, AGORA_CUSTOMER_SECRET"
ELSEWHERE_SIMULATED = f"{SIMULATED}; AGORA_BASE_URL names a simulator"
COMMAND = "$(.venv/bin/tapedeck token)"
ELSEWHERE = "...  # one that your own issuer has signed"
LOCAL = "local: files stay on this host"


def banner(url: str, config: Config, mode: Mapping[str, str], engines: Sequence[str], troubles: Sequence[str]) -> str:
    """A few lines for people; `troubles`: what does not work."""
    lines = [
        "",
        f"  Tapedeck  {url}",
        f"  Agora     {_agora(config) if mode['agora'] == 'simulated' else 'live'}",
        f"  Storage   {LOCAL}, in {config.storage_path}"
        if mode["storage"] == "local"
        else f"  Storage   {_bucket(config)}",
        *(f"  {line}" for line in engines),
        *(f"  Trouble   {line}" for line in troubles),
        "",
        f"  Try:  TOKEN={COMMAND if config.auth.jwt_secret or not config.auth.jwks else ELSEWHERE}",
        f'        curl -X POST -H "Authorization: Bearer $TOKEN" {url}/api/v1/meetings/standup/recording/start',
        "",
    ]
    return "\n".join(lines)


def _bucket(config: Config) -> str:
    storage = config.storage
    return f"S3, in the bucket {storage.bucket} ({storage.endpoint_url or storage.region})"


def _agora(config: Config) -> str:
    return EMBEDDED if config.agora_mode == "simulated" else ELSEWHERE_SIMULATED
