"""Keys out of every form of URL, and none out of what is not in the bucket."""

import pytest

from clients.storage.s3.addresses import Addresses

AMAZON = Addresses("my-bucket", "https://s3.eu-west-1.amazonaws.com")
DOTTED = Addresses("my.bucket", "https://s3.eu-west-1.amazonaws.com")
CHINESE = Addresses("my-bucket", "https://s3.cn-north-1.amazonaws.com.cn")
OTHER = Addresses("my-bucket", "http://127.0.0.1:9000")
BELOW = Addresses("my-bucket", "https://store.example/s3/")
SIGNED = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=60&X-Amz-Signature=ab%2Fcd"

FOUND = [
    (AMAZON, "s3://my-bucket/r/a.mp4", "r/a.mp4"),
    (AMAZON, "s3://my-bucket/r/a%20b?#.mp4", "r/a%20b?#.mp4"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com/r/a.mp4", "r/a.mp4"),
    (AMAZON, "https://MY-BUCKET.S3.EU-WEST-1.AMAZONAWS.COM/r/A.mp4", "r/A.mp4"),
    (AMAZON, "https://my-bucket.s3.amazonaws.com/r/a.mp4", "r/a.mp4"),
    (AMAZON, "https://my-bucket.s3-eu-west-1.amazonaws.com/r/a.mp4", "r/a.mp4"),
    (AMAZON, "https://my-bucket.s3.dualstack.eu-west-1.amazonaws.com/r/a.mp4", "r/a.mp4"),
    (AMAZON, "https://my-bucket.s3-accelerate.amazonaws.com/r/a.mp4", "r/a.mp4"),
    (AMAZON, "https://my-bucket.s3-fips.us-gov-west-1.amazonaws.com/r/a.mp4", "r/a.mp4"),
    (AMAZON, "http://my-bucket.s3.eu-west-1.amazonaws.com:80/r/a.mp4", "r/a.mp4"),
    (AMAZON, "https://s3.eu-west-1.amazonaws.com/my-bucket/r/a.mp4", "r/a.mp4"),
    (AMAZON, "https://s3.amazonaws.com/my-bucket/r/a.mp4" + SIGNED, "r/a.mp4"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com/r/a%20b%2Bc%C3%BC.mp4" + SIGNED, "r/a b+cü.mp4"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com/r/a+b.mp4", "r/a b.mp4"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com/r%2Fa.mp4#t=10", "r/a.mp4"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com/r/100%2525.mp4", "r/100%25.mp4"),
    (DOTTED, "https://my.bucket.s3.eu-west-1.amazonaws.com/r/a.mp4", "r/a.mp4"),
    (DOTTED, "https://s3.eu-west-1.amazonaws.com/my.bucket/r/a.mp4", "r/a.mp4"),
    (CHINESE, "https://my-bucket.s3.cn-north-1.amazonaws.com.cn/r/a.mp4", "r/a.mp4"),
    (OTHER, "http://127.0.0.1:9000/my-bucket/r/a%20b.mp4" + SIGNED, "r/a b.mp4"),
    (OTHER, "http://127.0.0.1:9000/my-bucket/r/a+b.mp4", "r/a+b.mp4"),
    (OTHER, "http://my-bucket.127.0.0.1:9000/r/a.mp4", "r/a.mp4"),
    (OTHER, "s3://my-bucket/r/a.mp4", "r/a.mp4"),
    (BELOW, "https://store.example/s3/my-bucket/r/a.mp4", "r/a.mp4"),
    (BELOW, "https://store.example:443/s3/my-bucket/r/a.mp4", "r/a.mp4"),
]


@pytest.mark.parametrize(("addresses", "url", "key"), FOUND)
def test_a_key_is_found_in_any_form_of_url(addresses: Addresses, url: str, key: str) -> None:
    assert addresses.key_of(url) == key


NOT_OURS = [
    (AMAZON, "s3://other/r/a.mp4"),
    (AMAZON, "s3://my-bucket/"),
    (AMAZON, "s3://my-bucket"),
    (AMAZON, "https://other.s3.eu-west-1.amazonaws.com/r/a.mp4"),
    (AMAZON, "https://x.my-bucket.s3.eu-west-1.amazonaws.com/r/a.mp4"),
    (AMAZON, "https://s3.eu-west-1.amazonaws.com/my-bucket-2/r/a.mp4"),
    (AMAZON, "https://s3.eu-west-1.amazonaws.com/my-bucket"),
    (AMAZON, "https://my-bucket.s3-accesspoint.eu-west-1.amazonaws.com/r/a.mp4"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com.evil.example/r/a.mp4"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.notamazonaws.com/r/a.mp4"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com:8443/r/a.mp4"),
    (AMAZON, "https://user@my-bucket.s3.eu-west-1.amazonaws.com/r/a.mp4"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com/"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com/r/../a.mp4"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com/r/%2e%2e/a.mp4"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com//a.mp4"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com/r/%00.mp4"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com/r/%ff.mp4"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com/" + "k" * 1025),
    (AMAZON, "http://127.0.0.1:9000/my-bucket/r/a.mp4"),
    (AMAZON, "ftp://my-bucket.s3.eu-west-1.amazonaws.com/r/a.mp4"),
    (AMAZON, "https://[::1/my-bucket/r"),
    (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com:port/r/a.mp4"),
    (AMAZON, "r/a.mp4"),
    (AMAZON, ""),
    (OTHER, "http://127.0.0.1:9001/my-bucket/r/a.mp4"),
    (OTHER, "https://127.0.0.1:9000.evil.example/my-bucket/r/a.mp4"),
    (OTHER, "https://my-bucket.s3.eu-west-1.amazonaws.com/r/a.mp4"),
    (BELOW, "https://store.example/my-bucket/r/a.mp4"),
    (BELOW, "http://store.example/s3/my-bucket/r/a.mp4"),
]


@pytest.mark.parametrize(("addresses", "url"), NOT_OURS)
def test_what_is_not_in_the_bucket_has_no_key(addresses: Addresses, url: str) -> None:
    assert addresses.key_of(url) is None


@pytest.mark.parametrize(
    ("addresses", "begins"),
    [
        (AMAZON, "https://my-bucket.s3.eu-west-1.amazonaws.com/r/"),
        (DOTTED, "https://s3.eu-west-1.amazonaws.com/my.bucket/r/"),
        (CHINESE, "https://my-bucket.s3.cn-north-1.amazonaws.com.cn/r/"),
        (OTHER, "http://127.0.0.1:9000/my-bucket/r/"),
        (BELOW, "https://store.example/s3/my-bucket/r/"),
    ],
)
@pytest.mark.parametrize("name", ["a.mp4", "a b+c?d#e%f&g=h.ts", "ü-日本.m3u8"])
def test_the_url_of_an_object_leads_back_to_its_key(addresses: Addresses, begins: str, name: str) -> None:
    url = addresses.storage_url(f"r/{name}")
    assert url.startswith(begins)
    assert url.isascii()
    assert addresses.key_of(url) == f"r/{name}"
