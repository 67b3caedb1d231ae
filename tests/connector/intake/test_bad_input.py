"""What a stranger may send to the listener of a running service: a clear 4xx, and no row."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from connector.intake import slow_client
from connector.store.schema import inbox
from tests.connector.each import EACH, Each, each

Sent = Callable[[str, str], int]
BODY = b'{"ticket_id": "1"}'


def post(path: str = "/hooks/{account}", **more: Any) -> Sent:
    return request("POST", path, **more)


def request(method: str, path: str = "/hooks/{account}", **more: Any) -> Sent:
    def send(url: str, account: str) -> int:
        return httpx.request(method, url + path.format(account=account), **more).status_code

    return send


def raw(text: bytes) -> Sent:
    def send(url: str, account: str) -> int:
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as line:
            line.sendall(text.replace(b"ACCOUNT", account.encode()))
            answer = line.recv(200)
        return int(answer.split()[1]) if answer else 400

    return send


FORGED = {
    "x-zendesk-webhook-signature": "Zm9yZ2Vk",
    "x-zendesk-webhook-signature-timestamp": "2026-09-21T14:13:20Z",
    "x-uptier-secret": "forged",
    "x-uptier-signature": "Zm9yZ2Vk",
    "x-uptier-timestamp": "1790000000",
}
BAD: dict[str, Sent] = {
    "no headers": post(content=BODY),
    "forged": post(content=BODY, headers=FORGED),
    "forged and empty": post(content=b"", headers=FORGED),
    "another account": post("/hooks/nobody", content=BODY, headers=FORGED),
    "account with a slash": post("/hooks/{account}/more", content=BODY),
    "no account": post("/hooks/", content=BODY),
    "path upwards": post("/hooks/..%2f{account}", content=BODY),
    "a body too large": post(content=b"x" * (slow_client.HOOK_CAP + 1)),
    "a length too large": raw(
        b"POST /hooks/ACCOUNT HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
    ),
    "a length that is none": raw(b"POST /hooks/ACCOUNT HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n"),
    "two lengths": raw(
        b"POST /hooks/ACCOUNT HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"
    ),
    "headers too large": raw(b"POST /hooks/ACCOUNT HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70_000 + b"\r\n\r\n"),
    "headers that never end": raw(b"POST /hooks/ACCOUNT HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70_000),
    "a trailer that never ends": raw(
        b"POST /hooks/ACCOUNT HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "
        + b"y" * 70_000
    ),
    "no HTTP": raw(b"\x16\x03\x01 hello\r\n\r\n"),
    "a broken chunk": raw(
        b"POST /hooks/ACCOUNT HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"
    ),
    "another method": request("GET"),
    "PUT": request("PUT", content=BODY, headers=FORGED),
    "TRACE": request("TRACE"),
    "basic of nobody": post(content=BODY, auth=("uptier", "wrong")),
    "header not ASCII": raw(
        b"POST /hooks/ACCOUNT HTTP/1.1\r\nHost: x\r\nX-Uptier-Secret: \xff\xfe\r\nContent-Length: 2\r\n\r\n{}"
    ),
}


@pytest.fixture(params=EACH)
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Each, str]]:
    with each(request.param, tmp_path) as one:
        yield one, one.service.start()
        one.service.stop()


def kept(one: Each) -> int:
    with one.service.parts.store.reading() as connection:
        counted = select(func.count()).select_from(inbox).where(inbox.c.kind == "webhook")
        return connection.execute(counted).scalar_one()


def test_each_gets_a_4xx_and_leaves_no_row(running: tuple[Each, str]) -> None:
    one, url = running
    assert len(BAD) * len(EACH) > 50
    answers = {name: send(url, one.desk.account) for name, send in BAD.items()}
    assert {name: status for name, status in answers.items() if not 400 <= status < 500} == {}
    assert kept(one) == 0


def test_an_account_that_is_there_and_one_that_is_not_look_the_same(running: tuple[Each, str]) -> None:
    one, url = running
    there, nowhere = (
        httpx.post(f"{url}/hooks/{name}", content=BODY, headers=FORGED)
        for name in (one.desk.account, "nobody")
    )
    assert (there.status_code, there.text) == (nowhere.status_code, nowhere.text)
    assert {name: value for name, value in there.headers.items() if name != "date"} == {
        name: value for name, value in nowhere.headers.items() if name != "date"
    }


@pytest.mark.parametrize("said", [b"", b"POST /hooks/acme HT"])
def test_who_says_nothing_is_hung_up_on(said: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_client, "HEAD_WITHIN", 0.2)
    with each("zendesk", tmp_path) as one:
        host, _, port = one.service.start().removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as line:
            line.sendall(said)
            assert line.recv(100) == b""
        one.service.stop()


def test_a_body_that_never_ends_is_answered_408(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_client, "BODY_WITHIN", 0.2)
    with each("zendesk", tmp_path) as one:
        url = one.service.start()
        slow = raw(b"POST /hooks/ACCOUNT HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        assert slow(url, "acme") == 408
        one.service.stop()
