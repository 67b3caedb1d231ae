"""The automation rules that tell us of changes. Freshdesk's API makes none, so a person clicks: the text for that,
which docs/freshdesk.md has too. Vendor sheet, section 3."""

from collections.abc import Mapping

BODY = '{"ticket_id":"{{ticket.id}}","event":"{{triggered_event}}"}'

STEPS = """\
*Admin → Workflows → Automations*, once under **Ticket creation** and once under **Ticket updates**.

- Ticket creation: no condition beyond one that always holds, such as *Status is any*.
- Ticket updates: *when an action is performed by* **Agent or requester**, events: reply sent, note added, status,
  priority, group, agent, type or tag changed. Choose the human agents one by one if you want to leave Uptier's own
  writes out; there is no "everyone but". What it wrote itself only costs Uptier a look.
- Action in both: **Trigger webhook**, request type POST, encoding JSON, content **Advanced**, with the text below and
  nothing more, URL `{address}`.

```json
{body}
```
"""


def steps(address: str) -> str:
    """What to click and to paste, but for the secret."""
    return STEPS.format(address=address, body=BODY)


def set_up(address: str, webhook: Mapping[str, str]) -> str:
    """What to click and to paste, and where the secret goes in."""
    if "user" in webhook:
        user, ref = webhook["user"], webhook.get("password", "secret:NAME")
        way = f"In both: *Requires authentication*, user `{user}`, password: what is kept as `{ref}`."
    else:
        ref = webhook.get("secret", "secret:NAME")
        way = f"In both: *Custom headers*, `X-Uptier-Secret: ` and behind it what is kept as `{ref}`."
    return f"{steps(address)}\n{way}"
