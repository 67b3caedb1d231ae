"""Every ticket of a Zendesk by the cursor export: with httpx alone, and as zenpy does it.

python -m tests.benchmarks.peers.pull (httpx|zenpy) URL TOKEN
"""

import json
import resource
import sys
import time
from typing import Any

import httpx
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from zenpy import Zenpy


class Redirected(HTTPAdapter):
    """zenpy speaks to https://SUBDOMAIN.zendesk.com alone; here to the simulator instead."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def send(self, request: PreparedRequest, **more: Any) -> Response:  # type: ignore[override]
        """Send to our own address; zenpy reads only what it takes for Zendesk's."""
        asked = request.url or ""
        request.url = self.url + asked.partition(".zendesk.com")[2]
        response = super().send(request, **more)
        response.request.url = asked
        return response


def with_httpx(url: str, token: str) -> int:
    """Pages of a thousand, counted and thrown away."""
    found = 0
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        place: dict[str, str | int] = {"start_time": int(time.time()) - 30 * 86400}
        while True:
            page = client.get("/api/v2/incremental/tickets/cursor", params={**place, "per_page": 1000}).json()
            found += len(page["tickets"])
            if page["end_of_stream"]:
                return found
            place = {"cursor": page["after_cursor"]}


def with_zenpy(url: str, token: str) -> int:
    """zenpy's own objects, counted and thrown away."""
    session = Session()
    session.mount("https://", Redirected(url))
    client = Zenpy(subdomain="acme", oauth_token=token, session=session)
    exported = client.tickets.incremental(
        start_time=int(time.time()) - 30 * 86400, paginate_by_time=False, per_page=1000
    )
    return len({each.id for each in exported})


def main(how: str, url: str, token: str) -> None:
    """Prints tickets, seconds and the largest memory in MiB."""
    began = time.perf_counter()
    found = (with_httpx if how == "httpx" else with_zenpy)(url, token)
    told = {
        "tickets": found,
        "seconds": time.perf_counter() - began,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
