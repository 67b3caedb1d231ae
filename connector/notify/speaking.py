"""The one place that knows where channels are, and the only one that loads apprise.

No error of this module, and no log line, holds an address.
"""

import logging
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from connector.secrets import SecretError

if TYPE_CHECKING:
    from apprise import Apprise

ANSWER = re.compile(r"error=(\d{3})\b")
NO_ANSWER = re.compile(r"connection|socket|timed? ?out", re.IGNORECASE)


class NotSent(Exception):
    """The channel did not take the message, as far as anybody can tell. The text says why, without the address."""


class NoAddress(NotSent):
    """There is no address, or none that can be used: trying again is of no use until a human has changed it."""


class Speaker:
    """Sends a message to a channel. Any thread may. `secret` resolves references when a message is sent."""

    def __init__(self, references: Mapping[str, str], secret: Callable[[str], str]) -> None:
        self._references = references
        self._secret = secret

    def take_up(self, references: Mapping[str, str]) -> None:
        """From the next message on, these are the channels."""
        self._references = references

    def __call__(self, channel: str, title: str, body: str) -> None:
        """Send one message, and come back once it is taken. Raises NotSent."""
        address = self._address(channel)
        from apprise import Apprise, AppriseAsset  # here, because it takes a second

        _silence()
        try:
            target = Apprise(asset=AppriseAsset(app_id="Uptier", async_mode=False))
            services = len(target) if target.add(address) else 0
            refusal = _told(target, title, body) if services == 1 else None
        except Exception as error:  # noqa: BLE001  a plugin's; its text may hold the address
            raise NotSent(f"{type(error).__name__} while sending") from None
        if not services:
            raise NoAddress("its address is none that apprise understands")
        if services > 1:
            raise NoAddress("its address names several services; make a channel for each")
        if refusal is not None:
            raise NotSent(refusal)

    def _address(self, channel: str) -> str:
        if channel not in self._references:
            raise NoAddress("it is not in the config")
        try:
            return self._secret(self._references[channel])
        except SecretError as error:
            raise NoAddress(str(error)) from None


def _told(target: "Apprise", title: str, body: str) -> str | None:
    """Why the target did not take this message; None if it did."""
    from apprise import NotifyFormat

    result = target.notify(title=title, body=body, body_format=NotifyFormat.TEXT)
    return None if result else _reason(" ".join(e.message for each in result.results for e in each.logs()))


def _silence() -> None:
    """What apprise says goes nowhere but into its results: it names addresses."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def _reason(said: str) -> str:
    if answer := ANSWER.search(said):
        return f"it answered {answer[1]}"
    return "no answer came" if NO_ANSWER.search(said) else "it did not take the message"
