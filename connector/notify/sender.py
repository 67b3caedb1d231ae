"""The one place that knows where channels are, and the only one that loads apprise.

No error of this module, and no log line, holds an address; a host and its port at most."""

import logging
import re
import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from connector.config.secrets import SecretError

if TYPE_CHECKING:
    from apprise import Apprise


ANSWER = re.compile(r"error=(\d{3})\b")
NO_ANSWER = re.compile(r"connection|socket|timed? ?out", re.IGNORECASE)


CONNECTS = 5.0
"""Real seconds for a connection."""

PORTS = {"https": 443, "http": 80}
HOST = re.compile(r"localhost|[\w-]+(\.[\w-]+)+|[0-9a-fA-F:]*:[0-9a-fA-F:]*")
BY_UDP = frozenset({"rsyslog", "syslog"})
BY_HTTP = frozenset({"json", "jsons", "xml", "xmls", "form", "forms", "ntfy", "ntfys", "gotify", "gotifys"})


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
        target = self._target(channel)
        try:
            refusal = _told(target, title, body)
        except Exception as error:  # noqa: BLE001  a plugin's; its text may hold the address
            raise NotSent(f"{type(error).__name__} while sending") from None
        if refusal is not None:
            raise NotSent(refusal)

    def tried(self, channel: str) -> str:
        """What can be told of a channel without a message: whether its host is known and somebody listens there.
        Raises NotSent where no message would arrive."""
        (plugin,) = self._target(channel)
        place = _place(plugin)
        if place is None:
            return "its address can be read; where it leads only a message tells"
        host, port, certain = place
        try:
            socket.create_connection((host, port), timeout=CONNECTS).close()
        except OSError as error:
            unknown = isinstance(error, socket.gaierror)
            cause = "no such host is known here" if unknown else error.strerror or "no answer in time"
            if certain and not getproxies():
                raise NotSent(f"{host}:{port} cannot be reached: {cause}") from None
            return f"its address can be read; {host}:{port} cannot be reached from here directly: {cause}"
        return f"{host}:{port} can be reached"

    def _target(self, channel: str) -> "Apprise":
        """The one service behind a channel. Raises NoAddress."""
        address = self._address(channel)
        from apprise import Apprise, AppriseAsset  # here, because it takes a second

        _silence()
        try:
            target = Apprise(asset=AppriseAsset(app_id="Uptier", async_mode=False))
            services = len(target) if target.add(address) else 0
        except Exception as error:  # noqa: BLE001  a plugin's; its text may hold the address
            raise NoAddress(f"{type(error).__name__} while reading its address") from None
        if not services:
            raise NoAddress("its address is none that apprise understands")
        if services > 1:
            raise NoAddress("its address names several services; make a channel for each")
        return target

    def _address(self, channel: str) -> str:
        if channel not in self._references:
            raise NoAddress("it is not in the config")
        try:
            return self._secret(self._references[channel])
        except SecretError as error:
            raise NoAddress(str(error)) from None


def _place(plugin: Any) -> tuple[str, int, bool] | None:
    """The host and port that a plugin speaks to, and whether that is certain; None where its address does not say.

    A plugin's `host` is one only if its address has a place for it: elsewhere, as in Slack's, a token stands there.
    """
    fixed = urlsplit(str(getattr(plugin, "notify_url", None) or getattr(plugin, "webhook_url", None) or ""))
    if fixed.scheme in PORTS and fixed.hostname and "{" not in fixed.netloc:
        return fixed.hostname, fixed.port or PORTS[fixed.scheme], True
    host = str(getattr(plugin, "smtp_host", None) or plugin.host or "")
    if "{host}" not in "".join(plugin.templates) or not HOST.fullmatch(host) or plugin.schema in BY_UDP:
        return None
    guessed = 443 if plugin.secure else 80
    return host, plugin.port or guessed, bool(plugin.port) or plugin.schema in BY_HTTP


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
