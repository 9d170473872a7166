"""What a server's refusal, or its silence, means to those who use the store.

The texts say what happened in the server's own code and in our words: its messages may repeat a key or a signature.
"""

from typing import Any

import aiohttp
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)

from actors.ports import StorageDenied, StorageNotFound, StorageUnavailable

StorageError = StorageDenied | StorageNotFound | StorageUnavailable
TROUBLE = (ClientError, BotoCoreError, aiohttp.ClientError, OSError)  # OSError: TimeoutError too
_ABSENT = {"ObjectLockConfigurationNotFoundError", "NoSuchKey", "NoSuchUpload", "NoSuchVersion", "404"}
_KEYS = (NoCredentialsError, PartialCredentialsError, ProfileNotFound)
_SAID = {
    "NoSuchBucket": "there is no bucket of that name",
    "RequestTimeTooSkewed": "this host's clock and the store's are too far apart",
    "InvalidAccessKeyId": "the access key is not known",
    "SignatureDoesNotMatch": "the secret key is not right",
    "ExpiredToken": "the temporary keys have run out",
    "AccessDenied": "the keys do not allow it",
    "403": "the keys do not allow it",
    "PermanentRedirect": "the bucket is in another region",
    "AuthorizationHeaderMalformed": "the bucket is in another region",
    "SlowDown": "it is asked too often",
}


def translated(error: Exception) -> StorageError:
    """The port's error."""
    if isinstance(error, ClientError):
        return _answered(error)
    if isinstance(error, _KEYS):
        return StorageDenied("no keys to the store were found")
    if isinstance(error, ParamValidationError):
        return StorageDenied("the store does not take such a request")
    if isinstance(error, TimeoutError):
        return StorageUnavailable("the store does not answer in time")
    return StorageUnavailable(f"the store cannot be reached: {type(error).__name__}")


def _answered(error: ClientError) -> StorageError:
    answer: Any = error.response
    code = str(answer.get("Error", {}).get("Code", ""))
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    why = f"{_SAID[code]} ({code})" if code in _SAID else f"{code or 'no code'}, status {status}"
    if code in _ABSENT:
        return StorageNotFound("there is no such object")
    if code == "NoSuchBucket":  # as a disk that is not mounted: what is lost may come back, and nothing is empty
        return StorageUnavailable(f"the store does not work: {why}")
    if status >= 500 or status in (408, 409, 429):
        return StorageUnavailable(f"the store does not work: {why}")
    return StorageDenied(f"the store refused: {why}")
