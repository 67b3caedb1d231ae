"""A short name for what a text says, for the ledger and for noticing that a policy changed."""

import hashlib
import json


def digest(values: object) -> str:
    """Twelve hex digits of TOML values in their order; comments and spacing do not count."""
    text = json.dumps(values, default=str, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
