"""What the outside address answers: whether the proxy in front leads here, and shows strangers nothing."""

from collections.abc import Iterator
from typing import Any

import httpx

from connector.config.settings import Settings

WITHIN = 10.0
"""Real seconds for an answer."""

NOBODY = {502, 503, 504}


def ask_outside(settings: Settings) -> list[dict[str, Any]]:
    """Findings about `[service] outside`, as about an account; none if no such address is named."""
    if settings.service.outside is None:
        return []
    hooks = [name for name, account in settings.accounts.items() if account.webhook]
    with httpx.Client(base_url=settings.service.outside, timeout=WITHIN) as client:
        said = (_console(client), *(_webhook(client, name) for name in hooks))
    return [
        {"account": "outside", "what": what, "ok": why is None, "text": why or well, "fatal": True}
        for what, well, why in said
    ]


Said = tuple[str, str, str | None]
"""What was asked, what is said if all is well, and what is wrong."""


def _console(client: httpx.Client) -> Said:
    answer = _answer(client, "GET", "/")
    return "console", "asks for a login", next(_wrong_page(answer), None)


def _wrong_page(answer: httpx.Response | str) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer
    elif answer.status_code == 200:
        yield "a page is shown without a login; what stands at this address is no Uptier, or not this one"
    elif answer.status_code == 403:
        yield "the console does not know this name; the proxy must pass `Host` on"
    elif answer.is_redirect and answer.headers["location"] != "/login":
        yield f"it leads to {answer.headers['location'][:100]}; name that address as `outside`"
    elif not answer.is_redirect:
        yield f"it answers {answer.status_code}; the proxy must lead to the address of `listen`"


def _webhook(client: httpx.Client, account: str) -> Said:
    answer = _answer(client, "POST", f"/hooks/{account}")
    what = f"webhook of {account}"
    if isinstance(answer, str):
        return what, "", answer
    if answer.status_code == 401 and "not authentic" in answer.text:
        return what, "asks for a signature", None
    if answer.status_code == 202:
        return what, "", "it took a webhook that nobody signed; what stands there is not this Uptier"
    return (
        what,
        "",
        f"it answers {answer.status_code}; the proxy must lead /hooks/ to the address of `listen`",
    )


def _answer(client: httpx.Client, method: str, path: str) -> httpx.Response | str:
    """The answer, or why there is none."""
    try:
        answer = client.request(method, path, content=b"{}" if method == "POST" else None)
    except httpx.HTTPError as error:
        return f"no answer: {error}; does the name lead to the proxy, and is its certificate good?"
    if answer.status_code in NOBODY:
        return f"it answers {answer.status_code}; does `uptier run` run, and does the proxy lead to its `listen`?"
    return answer
