"""The page *Matrix*: pictures with their own addresses, of all or of one team, and what can be handed on."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.connector.console.conftest import beside


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder: Path = tmp_path_factory.mktemp("matrix")
    with beside(folder) as shown, shown.logged_in("vera", "viewer") as client:
        yield client


def test_each_policy_is_a_picture_with_its_words_and_its_table(client: httpx.Client) -> None:
    page = client.get("/matrix").text
    (image,) = re.findall(r"<img [^>]*>", page)
    assert "1. Second line, after 30 min: Tier 2, by note." in image
    assert "urgent-unanswered as a table" in page
    found = re.search(r'src="([^"]+)"', image)
    assert found is not None
    drawn = client.get(found[1])
    assert drawn.headers["content-type"] == "image/svg+xml"
    assert "script" not in drawn.headers["content-security-policy"]
    height = re.search(r'height="(\d+)"', image)
    assert height is not None
    assert f'height="{height[1]}"' in drawn.text


def test_the_picture_follows_the_chosen_look(client: httpx.Client) -> None:
    address = "/matrix/picture?policy=urgent-unanswered"
    assert "prefers-color-scheme" in client.get(address).text
    for look, dark in (("light", False), ("dark", True)):
        drawn = client.get(address, headers={"Cookie": f"uptier-look={look}; {cookies(client)}"}).text
        assert "prefers-color-scheme" not in drawn
        assert ("@media screen{" in drawn) is dark


def cookies(client: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def test_one_team(client: httpx.Client) -> None:
    page = client.get("/matrix", params={"team": "Tier 1"})
    assert "for tickets of Tier 1" in page.text
    assert "/matrix/pdf?team=Tier+1" in page.text
    assert client.get("/matrix/picture", params={"team": "Tier 1"}).status_code == 200
    refused = client.get("/matrix", params={"team": "Nobody"})
    assert refused.status_code == 400
    assert "there is no team Nobody; there are " in refused.text


def test_it_is_handed_on_as_a_pdf(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made = client.get("/matrix/pdf")
    assert made.content.startswith(b"%PDF-")
    assert made.headers["content-type"] == "application/pdf"
    monkeypatch.setitem(sys.modules, "fpdf", None)
    refused = client.get("/matrix/pdf")
    assert refused.status_code == 501
    assert "pip install" in refused.text
