"""Who is calling: bearer tokens to principals, and what they are verified with (`api.md` 3).

`principal` says what a token means, `authenticator` whether it holds, `secrets` and `key_set` with which keys; `jwks`, which
alone speaks to the outside and needs an event loop, keeps the key set fresh.
"""

from server.auth.authenticator import Authenticator
from server.auth.key_set import KeySet, KeySetError, parse_key_set
from server.auth.principal import Principal, Role, TokenError
from server.auth.secrets import cluster_secrets, load_or_create_secret, mint_token, own_secrets, signing_secrets

__all__ = [
    "Authenticator",
    "KeySet",
    "KeySetError",
    "Principal",
    "Role",
    "TokenError",
    "cluster_secrets",
    "load_or_create_secret",
    "mint_token",
    "own_secrets",
    "parse_key_set",
    "signing_secrets",
]
