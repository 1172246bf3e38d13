"""A broker for this machine: mosquitto where there is one, otherwise the embedded one."""

from linli.broker.plan import BrokerPlan, find_mosquitto, plan_broker
from linli.broker.ports import free_port, port_is_free

__all__ = ["BrokerPlan", "find_mosquitto", "free_port", "plan_broker", "port_is_free"]
