"""All boards, in the order in which they are listed."""

from __future__ import annotations

from dashboards.grafana.boards.delivery import BOARD as DELIVERY
from dashboards.grafana.boards.edges import BOARD as EDGES
from dashboards.grafana.boards.incidents import BOARD as INCIDENTS
from dashboards.grafana.boards.lifts import BOARD as LIFTS
from dashboards.grafana.boards.lighting import BOARD as LIGHTING
from dashboards.grafana.boards.linli import BOARD as LINLI
from dashboards.grafana.boards.overview import BOARD as OVERVIEW
from dashboards.grafana.boards.waste import BOARD as WASTE

BOARDS = (OVERVIEW, INCIDENTS, LIFTS, LIGHTING, WASTE, EDGES, DELIVERY, LINLI)
