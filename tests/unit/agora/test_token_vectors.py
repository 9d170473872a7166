"""The token library against the reference's vectors (reference 10.2), compared after decompression."""

import zlib
from base64 import b64decode

from agoraiotools.AccessToken2 import AccessToken, ServiceRtc

APP_ID, CERTIFICATE = "970CA35de60c44645bbae8a215061b33", "5CFd2fd1755d40ecb72977518be15d3b"
CHANNEL, UID = "7d72365eb983485397e3e3f9d460bdda", 2882341273
EXPECTED = (
    "007eJxTYBBbsMMnKq7p9Hf/HcIX5kce9b518kCiQgSr5Zrp4X1Tu6UUGCzNDZwdjU1TUs0Mkk1MzExMk5ISUy0SjQxNDcwMk4yN3b8IMEQwMTAwMoAw"
    "BIL4CgzmKeZGxmamqUmWFsYmFqbGluapxqnGaZYpJmYGSSkpiVwMRhYWRsYmhkbmxgDCaiTj"
)


def test_the_published_vector() -> None:
    token = AccessToken(APP_ID, CERTIFICATE, issue_ts=1111111, expire=600)
    token._AccessToken__salt = 1
    service = ServiceRtc(CHANNEL, UID)
    service.add_privilege(ServiceRtc.kPrivilegeJoinChannel, 600)
    token.add_service(service)
    made = token.build()
    made = made.decode() if isinstance(made, bytes) else made
    assert zlib.decompress(b64decode(made[3:])) == zlib.decompress(b64decode(EXPECTED[3:]))
