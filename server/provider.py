"""Which provider this is: Agora itself, the embedded simulator, or a simulator that runs elsewhere (api.md 7)."""

import asyncio
from typing import Literal

import aiohttp

from server.config import Config, ConfigError, check_modes

AgoraMode = Literal["live", "embedded", "elsewhere"]
ASK_SECONDS = 30.0
PAUSE_SECONDS = 0.5


async def find_mode(config: Config) -> AgoraMode:
    """Asks a host outside Agora's domains what it is, for up to 30 s. Raises ConfigError."""
    if config.agora_mode == "live":
        return "live"
    if config.agora_mode == "simulated":
        return "embedded"
    if await _is_simulator(config.agora.base_url):
        check_modes(config, "simulated")
        return "elsewhere"
    check_modes(config, "live")
    if config.agora.app_id is None:
        raise ConfigError(
            f"AGORA_BASE_URL: {config.agora.base_url} is no simulator, so AGORA_APP_ID and the rest are needed"
        )
    return "live"


async def _is_simulator(base_url: str) -> bool:
    deadline = asyncio.get_running_loop().time() + ASK_SECONDS
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
        while True:
            try:
                async with http.get(f"{base_url.rstrip('/')}/_simulator/info") as response:
                    told = await response.json(content_type=None) if response.status == 200 else {}
                    return isinstance(told, dict) and told.get("simulator") == "tapedeck"
            except ValueError:
                return False
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise ConfigError(f"AGORA_BASE_URL: {base_url} does not answer: {type(error).__name__}") from None
            await asyncio.sleep(PAUSE_SECONDS)
