"""What the Business Rule of docs/servicenow.md does: one signed post for each update of the table.

The rule is asynchronous: `current` is as of when it runs, so two quick updates may send the same twice. It tries
once; what is not taken is lost. Vendor sheet 3.2 to 3.4."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from adapters.simulation.webhooks import Webhooks, send


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One installed rule: where it posts, what it signs with, on which table."""

    url: str
    secret: str
    table: str = "incident"


@dataclass(slots=True, kw_only=True)
class Job:
    """One run of a rule that waits in the scheduler."""

    hook: Hook
    due: int
    sys_id: str
    event: str
    number: str
    deleted: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One post and what came back; None: nothing came."""

    again: ClassVar[bool] = False
    at: int
    body: str
    status: int | None


class Hooks(Webhooks[Hook, Job, Attempt]):
    """The instance's rules. `read` gives a row by table and sys_id."""

    def __init__(self, now: Callable[[], int], read: Callable[[str, str], Mapping[str, str] | None]) -> None:
        super().__init__(now)
        self.read = read

    def subscribe(self, url: str, secret: str, *, table: str = "incident") -> Hook:
        """Install the rule; it hears what happens from now on."""
        hook = Hook(url=url, secret=secret, table=table)
        self.hooks.append(hook)
        return hook

    def tell(self, table: str, row: Mapping[str, str], event: str) -> None:
        """Queue what the rules say of this."""
        gone, key, number = dict(row) if event == "delete" else None, row["sys_id"], row["number"]
        for hook in self.hooks:
            if hook.table == table:
                self.queue(
                    Job(hook=hook, due=self.now(), sys_id=key, event=event, number=number, deleted=gone)
                )

    def post(self, job: Job) -> Attempt:
        """Run the rule: read the row as it is now, and post."""
        body = payload(job, job.deleted or self.read(job.hook.table, job.sys_id) or {})
        status, _ = send(job.hook.url, body, signed(job.hook.secret, self.now(), body))
        return Attempt(at=self.now(), body=body.decode(), status=status)


def payload(job: Job, row: Mapping[str, str]) -> bytes:
    """What the rule's script sends: ids only, in ASCII."""
    body = {
        "v": 1, "table": job.hook.table, "sys_id": job.sys_id, "number": job.number,
        **{name: row.get(name, "") for name in ("sys_updated_on", "sys_mod_count", "sys_updated_by")},
        "event": job.event,
    }  # fmt: skip
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def signed(secret: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of one post. `generateMac` takes the secret as base64 and gives the digest as base64."""
    key = base64.b64decode(base64.b64encode(secret.encode()))
    digest = hmac.new(key, f"{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "X-Uptier-Timestamp": str(at),
        "X-Uptier-Signature": base64.b64encode(digest).decode(),
    }
