"""What there is to say about a bucket and the server that has it."""

from dataclasses import dataclass, field
from typing import Literal

Encryption = Literal["AES256", "aws:kms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Settings:
    """`endpoint_url` None: Amazon's. Without keys the client looks for them where Amazon's tools do: environment, profile,
    container, instance.

    `silence_seconds`: how long the server may say nothing; `call_seconds`: how long a call may take with its repetitions, a
    part of an upload too. `checksums`: whether uploads carry one that only Amazon's own server is sure to take.
    """

    bucket: str
    region: str
    endpoint_url: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    encryption: Encryption | None = None
    kms_key: str | None = None
    storage_class: str | None = None
    checksums: bool = True
    connect_seconds: float = 5.0
    silence_seconds: float = 20.0
    call_seconds: float = 60.0
    attempts_max: int = 4
    connections_max: int = 50
    part_bytes: int = 8 * 1024 * 1024
    parts_max: int = 2
