"""The account's webhooks, as Zendesk's API lists, makes, tries and removes them. Each call is one request.

https://developer.zendesk.com/api-reference/webhooks/webhooks-api/webhooks/"""

from typing import Any

from adapters.base import Hook, NotAllowed, OutcomeUnknown, Unreadable, WontAccept
from adapters.http import status_behind
from adapters.zendesk.client import Client
from adapters.zendesk.webhooks import EVENT_TYPE

HEARD = (
    "created", "agent_assignment_changed", "group_assignment_changed", "brand_changed", "comment_added",
    "comment_made_private", "custom_field_changed", "custom_status_changed", "description_changed", "form_changed",
    "organization_changed", "priority_changed", "requester_changed", "status_changed", "subject_changed",
    "tags_changed", "type_changed", "marked_as_spam", "merged", "permanently_deleted", "soft_deleted", "undeleted",
)  # fmt: skip
"""The ticket events that could matter to a policy. A webhook for events needs POST and JSON, and can be called by no
trigger. https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/"""

GONE = frozenset({404, 410})


class ZendeskHooks:
    """As `adapters.base.Hooks` asks for them."""

    posts = f"{len(HEARD)} kinds of ticket events as JSON"

    def __init__(self, client: Client) -> None:
        self._client = client

    def listed(self) -> tuple[Hook, ...]:
        """All webhooks, page after page."""
        pages = self._client.every("/webhooks", "webhooks", {})
        return tuple(_hook(row) for page in pages for row in page.rows("webhooks"))

    def make(self, name: str, address: str) -> Hook:
        """One POST."""
        wanted = {
            "name": name,
            "endpoint": address,
            "http_method": "POST",
            "request_format": "json",
            "status": "active",
            "subscriptions": [EVENT_TYPE + kind for kind in HEARD],
        }
        answer = self._client.post("/webhooks", {"webhook": wanted})
        try:
            return _hook(answer.body.get("webhook"))
        except Unreadable as odd:
            raise OutcomeUnknown(f"Zendesk took the webhook and its answer does not show it: {odd}") from odd

    def secret_of(self, hook: str) -> str:
        """One GET. The secret is used as it is written, though it looks like base64."""
        told = self._client.get(f"/webhooks/{hook}/signing_secret").body.get("signing_secret")
        secret = told.get("secret") if isinstance(told, dict) else None
        if not isinstance(secret, str) or not secret:
            raise Unreadable("Zendesk's answer holds no signing secret")
        return secret

    def test(self, hook: str) -> int | None:
        """One POST. Zendesk posts to the webhook's own address, signed with the webhook's own secret, and tells what
        came back."""
        answer = self._client.post("/webhooks/test", {"request": {}}, {"webhook_id": hook}).body.get(
            "response"
        )
        status = answer.get("status_code") if isinstance(answer, dict) else None
        return status if isinstance(status, int) and not isinstance(status, bool) else None

    def remove(self, hook: str) -> None:
        """One DELETE."""
        try:
            self._client.delete(f"/webhooks/{hook}")
        except (WontAccept, NotAllowed) as refused:
            if status_behind(refused) not in GONE:
                raise


def _hook(row: Any) -> Hook:
    """A webhook's row; Unreadable if it does not say which webhook it is."""
    known = row if isinstance(row, dict) else {}
    number, name, address = (known.get(key) for key in ("id", "name", "endpoint"))
    if not (isinstance(number, str) and number):
        raise Unreadable("Zendesk's answer holds a webhook without an id")
    return Hook(
        id=number,
        name=name if isinstance(name, str) else "",
        address=address if isinstance(address, str) else "",
        active=known.get("status") == "active",
    )
