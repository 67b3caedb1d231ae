"""How many open tickets each agent has, counted from the tickets that Uptier has seen: no helpdesk tells."""

from dataclasses import replace

from sqlalchemy import Connection

from connector.store import tickets
from policies.language.policy import PolicySet
from policies.model import Directory


def with_loads(connection: Connection, directory: Directory, policies: PolicySet) -> Directory:
    """The directory with loads where the helpdesk tells none, if a policy asks for them."""
    if not policies.asks_for_loads:
        return directory
    counted = tickets.loads(connection, directory.account)
    agents = tuple(
        agent if agent.open_load is not None else replace(agent, open_load=counted.get(agent.person.id, 0))
        for agent in directory.agents
    )
    return replace(directory, agents=agents)
