"""What a process of a fleet does: take webhooks, work, read feeds, show the console."""

from typing import Literal, get_args

Role = Literal["receiver", "worker", "poller", "console"]
ALL: frozenset[Role] = frozenset(get_args(Role))


def roles_named(text: str) -> frozenset[Role]:
    """`receiver,worker`: the roles named. ValueError if one is unknown."""
    named = [each.strip() for each in text.split(",") if each.strip()]
    unknown = [each for each in named if each not in ALL]
    if unknown or not named:
        raise ValueError(
            f"--roles {text!r}: name one or more of {', '.join(sorted(ALL))}, with commas between"
        )
    return frozenset(role for role in ALL if role in named)
