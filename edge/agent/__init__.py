"""The agent: everything at the edge put together."""

from edge.agent.agent import Agent

__all__ = ["Agent"]
