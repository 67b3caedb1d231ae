"""Automation webhooks: posted without signature, name or time, with placeholders put in as they are.

Bodies, retries and what can arrive twice: vendor sheet, section 3. The hourly allowance is not imitated."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.freshdesk.simulator.records import PRIORITIES, Row
from adapters.simulation.webhooks import Invocation, RetriedWebhooks

TEMPLATE = '{"ticket_id":"{{ticket.id}}","event":"{{triggered_event}}"}'
AGAIN = (300, 1800, 3600)  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """The webhook of one automation rule. `template` is its text; without one it is Freshdesk's simple form.

    It sends `headers`, and signs in with `user` and `password` where they are set.
    """

    id: int
    url: str
    template: str | None = TEMPLATE
    headers: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    password: str = ""


class Hooks(RetriedWebhooks[Hook]):
    """The account's automation rules with webhooks."""

    def subscribe(
        self,
        url: str,
        *,
        secret: str = "",
        user: str = "",
        password: str = "",
        template: str | None = TEMPLATE,
    ) -> Hook:
        """Set up a rule on creation and update; `secret` travels in X-Uptier-Secret."""
        headers = {"X-Uptier-Secret": secret} if secret else {}
        hook = Hook(
            id=next(self.numbers), url=url, template=template, headers=headers, user=user, password=password
        )
        self.hooks.append(hook)
        return hook

    def tell(self, row: Row, event: str, labels: Mapping[str, str]) -> None:
        """Queue what the rules say of this change."""
        for hook in self.hooks:
            text = _simple(row, labels) if hook.template is None else _filled(hook.template, row, event)
            self.queue(Invocation(id=next(self.numbers), hook=hook, body=text.encode(), due=self.now()))

    def headers(self, invocation: Invocation[Hook]) -> dict[str, str]:
        """The headers of a post, lower case."""
        hook = invocation.hook
        named = {"content-type": "application/json"} | {
            name.lower(): word for name, word in hook.headers.items()
        }
        if hook.user:
            pair = base64.b64encode(f"{hook.user}:{hook.password}".encode()).decode()
            named["authorization"] = f"Basic {pair}"
        return named

    def wait(self, invocation: Invocation[Hook], status: int | None, _: str | None) -> int | None:
        """What is not taken is tried three times more."""
        failed = sum(attempt.again for attempt in invocation.attempts)
        return AGAIN[failed] if (status is None or status >= 300) and failed < len(AGAIN) else None


def _filled(template: str, row: Row, event: str) -> str:
    """The text with its placeholders put in. Nothing is escaped: a quotation mark breaks the JSON."""
    public = [each["body"] for each in row.conversations if not each["private"]]
    words = {
        "ticket.id": str(row.id),
        "ticket.subject": row.json["subject"],
        "ticket.latest_public_comment": public[-1] if public else "",
        "triggered_event": event,
    }
    for name, word in words.items():
        template = template.replace(f"{{{{{name}}}}}", word)
    return template


def _simple(row: Row, labels: Mapping[str, str]) -> str:
    """Freshdesk's own form of the body, with labels and not codes."""
    inner: dict[str, Any] = {
        "ticket_id": row.id,
        "ticket_subject": row.json["subject"],
        "ticket_status": labels["status"],
        "ticket_priority": PRIORITIES[row.json["priority"]],
    }
    return json.dumps({"freshdesk_webhook": inner})
