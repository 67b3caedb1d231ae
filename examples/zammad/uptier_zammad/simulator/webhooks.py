"""Webhooks of the simulated Zammad: a trigger on creation and update that posts the default payload, signed.

https://admin-docs.zammad.org/en/latest/manage/webhook/payload.html
"""

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.simulation.webhooks import Invocation, RetriedWebhooks

TRIES = 4
"""How often a failed post is tried again. https://admin-docs.zammad.org/en/latest/manage/webhook.html"""

LONGER = 10
"""Each try waits so many seconds more than the one before. (zammad/zammad: app/jobs/trigger_webhook_job.rb)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A webhook and the trigger that fires it. `secret` is the HMAC SHA1 Signature Token."""

    url: str
    secret: str = ""
    trigger: str = "Uptier"


class Hooks(RetriedWebhooks[Hook]):
    """The account's webhooks."""

    def subscribe(self, url: str, secret: str = "") -> Hook:
        """Set up a webhook with a trigger on every creation and update."""
        hook = Hook(url=url, secret=secret)
        self.hooks.append(hook)
        return hook

    def tell(self, ticket: Mapping[str, Any], article: Mapping[str, Any]) -> None:
        """Queue what the triggers say of this change."""
        body = json.dumps({"ticket": ticket, "article": article}).encode()
        for hook in self.hooks:
            name = str(uuid.UUID(int=next(self.numbers)))
            self.queue(Invocation(id=name, hook=hook, body=body, due=self.now()))

    def headers(self, invocation: Invocation[Hook]) -> dict[str, str]:
        """The headers of a post."""
        hook = invocation.hook
        made = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Zammad User Agent",
            "X-Zammad-Trigger": hook.trigger,
            "X-Zammad-Delivery": str(invocation.id),
        }
        if hook.secret:
            digest = hmac.new(hook.secret.encode(), invocation.body, hashlib.sha1).hexdigest()
            made["X-Hub-Signature"] = f"sha1={digest}"
        return made

    def wait(self, invocation: Invocation[Hook], status: int | None, _: str | None) -> int | None:
        """What is not taken is tried again, a little later each time."""
        tried = len(invocation.attempts)
        return None if (status is not None and status < 300) or tried >= TRIES else LONGER * (tried + 1)
