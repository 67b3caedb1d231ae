"""One policy's fault is that policy's: whatever raises is laid at its door, and it is taken out of the look (rule
6)."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from policies.policy import Policy

Made = TypeVar("Made")
With = ParamSpec("With")


class PolicyRaised(Exception):
    """A policy raised in the midst of a look; the cause tells what."""

    def __init__(self, policy: str) -> None:
        super().__init__(policy)
        self.policy = policy


def of(policy: Policy, make: Callable[With, Made], *args: With.args, **more: With.kwargs) -> Made:
    """What one policy comes to. Everything is caught here, and nowhere else in `policies`: a fault that nobody has
    foreseen must not keep the other policies of a ticket from escalating it. Raises PolicyRaised."""
    try:
        return make(*args, **more)
    except Exception as error:
        raise PolicyRaised(policy.name) from error
