"""FastAPI that puts each webhook into Celery over Redis, and a worker that writes to Zendesk. Redis keeps nothing on
disk, as it comes; a webhook is acknowledged before it is durable.

    uvicorn tests.benchmarks.peers.queue_app:app
    celery -A tests.benchmarks.peers.queue_app worker -c 4

HELPDESK and TOKEN are in the environment, REDIS too.
"""

import os

import httpx
from celery import Celery
from fastapi import FastAPI, Request

queue = Celery("peer", broker=os.environ["REDIS"])
queue.conf.task_ignore_result = True
queue.conf.broker_connection_retry_on_startup = True
app = FastAPI()
client = httpx.Client(
    base_url=os.environ["HELPDESK"], headers={"Authorization": f"Bearer {os.environ['TOKEN']}"}
)


@queue.task
def escalate(ticket: str) -> None:
    """Read, decide, write."""
    row = client.get(f"/api/v2/tickets/{ticket}").json().get("ticket")
    if row and row["priority"] == "urgent":
        change = {"comment": {"body": "Escalated.", "public": False}, "tags": [*row["tags"], "escalated"]}
        client.put(f"/api/v2/tickets/{ticket}", json={"ticket": change})


@app.post("/hooks/acme", status_code=202)
async def hook(request: Request) -> dict[str, str]:
    """Take it, and let the worker do it."""
    body = await request.json()
    escalate.delay(str(body["detail"]["id"]))
    return {"status": "taken"}
