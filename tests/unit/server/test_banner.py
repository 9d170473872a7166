"""What a start says on the terminal."""

import pytest

from server.banner import banner
from server.config import Config, load_config

MODE = {"agora": "simulated", "storage": "local"}


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "set AGORA_APP_ID, AGORA_CUSTOMER_ID, AGORA_CUSTOMER_SECRET"),
        ({"AGORA_BASE_URL": "http://user:secret@127.0.0.1:8099"}, "AGORA_BASE_URL names a simulator"),
    ],
)
def test_it_says_which_simulator_it_is(environ: dict[str, str], said: str) -> None:
    shown = shown_for(load_config(None, environ))
    assert f"simulated: nothing is recorded of any real meeting; {said}\n" in shown
    assert "secret@" not in shown


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "S3, in the bucket b (eu-west-1)"),
        ({"AWS_ENDPOINT_URL_S3": "http://s3"}, "S3, in the bucket b (http://s3)"),
    ],
)
def test_it_says_which_bucket_the_recordings_are_in(environ: dict[str, str], said: str) -> None:
    config = load_config(None, {"AWS_S3_BUCKET": "b", "AWS_REGION": "eu-west-1", **environ})
    assert said in banner("http://127.0.0.1:3002", config, {**MODE, "storage": "s3"}, [], [])


def shown_for(config: Config) -> str:
    return banner("http://127.0.0.1:3002", config, MODE, [], [])
