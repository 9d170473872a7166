"""What URLs of a bucket's recordings are like. Nothing is sent."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.credentials import ReadOnlyCredentials

from actors.ports import StorageDenied
from clients.storage.s3.addresses import Addresses
from clients.storage.s3.signing import ObjectSigner
from server.bucket import BucketSigner
from server.playback import UrlSigner

NOW = 1_369_353_600
EXAMPLE = ReadOnlyCredentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None)


@pytest.fixture(autouse=True)
def moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(NOW, UTC))


@pytest.fixture
def objects() -> ObjectSigner:
    return ObjectSigner(Addresses("examplebucket", "https://s3.amazonaws.com"), "us-east-1", EXAMPLE)


@pytest.fixture
def signer(objects: ObjectSigner) -> BucketSigner:
    return BucketSigner(UrlSigner(b"k" * 32, "https://tapedeck.example"), objects, NOW)


def told(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


def test_a_signature_is_that_of_amazons_own_example(objects: ObjectSigner) -> None:
    url = objects.get("test.txt", 86400)
    assert url == (
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


def test_a_film_is_opened_by_the_bucket_with_its_name_and_type(signer: BucketSigner) -> None:
    url = signer.sign("r/x1/a_ü_0.mp4", NOW + 900, recording="0199")
    assert url.startswith("https://examplebucket.s3.amazonaws.com/r/x1/a_%C3%BC_0.mp4?")
    said = told(url)
    assert (said["X-Amz-Expires"], said["X-Amz-Date"]) == ("900", "20130524T000000Z")
    assert said["response-content-type"] == "video/mp4"
    assert said["response-content-disposition"] == "inline; filename=\"a___0.mp4\"; filename*=UTF-8''a_%C3%BC_0.mp4"
    assert "recording" not in said


def test_a_playlist_is_opened_here(signer: BucketSigner) -> None:
    url = signer.sign("r/x1/a.m3u8", NOW + 900, recording="0199")
    assert url == UrlSigner(b"k" * 32, "https://tapedeck.example").sign("r/x1/a.m3u8", NOW + 900, recording="0199")


@pytest.mark.parametrize(("seconds", "lasts"), [(0, "1"), (604_800, "604800"), (604_801, "604800")])
def test_a_url_lasts_no_longer_than_a_signature_may(signer: BucketSigner, seconds: int, lasts: str) -> None:
    assert told(signer.sign("r/x1/a.ts", NOW + seconds))["X-Amz-Expires"] == lasts


def test_urls_of_temporary_keys_carry_their_token() -> None:
    keys = ReadOnlyCredentials("a", "b", "the-token")
    objects = ObjectSigner(Addresses("examplebucket", "https://s3.amazonaws.com"), "us-east-1", keys)
    assert told(objects.get("r/a.ts", 60))["X-Amz-Security-Token"] == "the-token"


def test_a_key_that_may_not_be_used_is_not_signed(signer: BucketSigner) -> None:
    with pytest.raises(StorageDenied):
        signer.sign("r/../a.mp4", NOW + 60)
