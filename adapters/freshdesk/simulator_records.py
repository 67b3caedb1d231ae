"""Blank Freshdesk records, with the keys the vendor sends. Shapes: vendor sheet 2.1, 2.2, 2.6, 2.8."""

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Record = dict[str, Any]

STATUSES: Mapping[int, str] = {
    2: "Open",
    3: "Pending",
    4: "Resolved",
    5: "Closed",
    6: "Waiting on Customer",
    7: "Waiting on Third Party",
}
PRIORITIES: Mapping[int, str] = {1: "Low", 2: "Medium", 3: "High", 4: "Urgent"}
SOURCES: Mapping[str, int] = {"Email": 1, "Portal": 2, "Phone": 3, "Chat": 7, "Feedback Widget": 9}
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def stamp(at: int) -> str:
    """Write epoch seconds as Freshdesk does: UTC, whole seconds, Z."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def instant(text: str) -> int:
    """Read a stamp back; ValueError if it is none. Without a zone it is UTC."""
    read = datetime.fromisoformat(text)
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp())


def agent(number: int, at: int, name: str, email: str | None) -> Record:
    """An agent; the person is in `contact`. Groups are listed where one agent is shown."""
    return {
        "id": number,
        "available": False,
        "available_since": None,
        "occasional": False,
        "ticket_scope": 1,
        "type": "support_agent",
        "signature": None,
        "focus_mode": True,
        "deactivated": False,
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "group_ids": [],
        "role_ids": [],
        "skill_ids": [],
        "contact": {
            "active": True,
            "email": email,
            "name": name,
            "job_title": None,
            "language": "en",
            "last_login_at": None,
            "mobile": None,
            "phone": None,
            "time_zone": "Eastern Time (US & Canada)",
            "created_at": stamp(at),
            "updated_at": stamp(at),
        },
    }


def group(number: int, at: int, name: str) -> Record:
    """A team."""
    return {
        "id": number,
        "name": name,
        "description": "",
        "escalate_to": None,
        "unassigned_for": None,
        "business_hour_id": None,
        "auto_ticket_assign": 0,
        "agent_ids": [],
        "created_at": stamp(at),
        "updated_at": stamp(at),
    }


def company(number: int, at: int, name: str) -> Record:
    """A customer's company."""
    return {"id": number, "name": name, "domains": [], "created_at": stamp(at), "updated_at": stamp(at)}


def contact(number: int, at: int, name: str, email: str | None) -> Record:
    """A customer."""
    return {
        "id": number,
        "name": name,
        "email": email,
        "active": False,
        "address": None,
        "company_id": None,
        "view_all_tickets": False,
        "other_companies": [],
        "other_emails": [],
        "description": None,
        "job_title": None,
        "language": "en",
        "mobile": None,
        "phone": None,
        "time_zone": "Eastern Time (US & Canada)",
        "twitter_id": None,
        "unique_external_id": None,
        "tags": [],
        "custom_fields": {},
        "created_at": stamp(at),
        "updated_at": stamp(at),
    }


def ticket_field(number: int, at: int, name: str, label: str, kind: str) -> Record:
    """A field of the ticket form."""
    return {
        "id": number,
        "name": name,
        "label": label,
        "label_for_customers": label,
        "description": "",
        "position": 1,
        "type": kind,
        "default": not kind.startswith("custom_"),
        "customers_can_edit": False,
        "displayed_to_customers": True,
        "required_for_customers": False,
        "required_for_agents": False,
        "required_for_closure": False,
        "created_at": stamp(at),
        "updated_at": stamp(at),
    }


def ticket(number: int, at: int) -> Record:
    """A ticket without requester. Deadlines are shown beside it."""
    return {
        "id": number,
        "cc_emails": [],
        "fwd_emails": [],
        "reply_cc_emails": [],
        "ticket_cc_emails": [],
        "spam": False,
        "email_config_id": None,
        "priority": 1,
        "requester_id": None,
        "responder_id": None,
        "group_id": None,
        "company_id": None,
        "product_id": None,
        "source": 2,
        "status": 2,
        "subject": "",
        "type": None,
        "to_emails": None,
        "association_type": None,
        "support_email": None,
        "form_id": 1060000000,
        "is_escalated": False,
        "fr_escalated": False,
        "nr_escalated": False,
        "tags": [],
        "custom_fields": {},
        "description": "",
        "description_text": "",
        "attachments": [],
        "created_at": stamp(at),
        "updated_at": stamp(at),
    }


def stats(at: int) -> Record:
    """When what last happened to a ticket that was just made."""
    return {
        "agent_responded_at": None,
        "requester_responded_at": None,
        "first_responded_at": None,
        "status_updated_at": stamp(at),
        "reopened_at": None,
        "resolved_at": None,
        "closed_at": None,
        "pending_since": None,
    }


def conversation(number: int, at: int, ticket_id: int, author: int | None, body: str) -> Record:
    """A message below a ticket, private and ours until said otherwise. `body` is HTML."""
    return {
        "id": number,
        "body": f"<div>{body}</div>",
        "body_text": plain(body),
        "incoming": False,
        "private": True,
        "user_id": author,
        "support_email": None,
        "source": 2,
        "category": 2,
        "ticket_id": ticket_id,
        "from_email": None,
        "to_emails": None,
        "cc_emails": None,
        "bcc_emails": None,
        "attachments": [],
        "last_edited_at": None,
        "last_edited_user_id": None,
        "automation_id": None,
        "auto_response": False,
        "created_at": stamp(at),
        "updated_at": stamp(at),
    }


def without_comments(markup: str) -> str:
    """HTML as Freshdesk may clean it."""
    return COMMENT.sub("", markup)


def plain(markup: str) -> str:
    """The text of HTML."""
    broken = re.sub(r"<br ?/?>|</p>", "\n", without_comments(markup))
    return html.unescape(re.sub(r"<[^>]*>", "", broken)).strip()


def markup(text: str) -> str:
    """The HTML of what somebody typed."""
    return html.escape(text, quote=False).replace("\n", "<br>")
