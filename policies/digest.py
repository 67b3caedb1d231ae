"""A short name for what a text says, for the ledger and for noticing that a policy changed."""

import hashlib
import json


def canonical(values: object) -> str:
    """TOML values in their order, as one text; comments and spacing do not count."""
    return json.dumps(values, default=str, separators=(",", ":"), ensure_ascii=False)


def digest(values: object) -> str:
    """Twelve hex digits that stand for these values."""
    return hashlib.sha256(canonical(values).encode()).hexdigest()[:12]
