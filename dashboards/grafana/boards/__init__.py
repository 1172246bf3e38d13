"""All boards, in the order in which they are listed."""

from __future__ import annotations

from dashboards.grafana.boards import (
    delivery,
    edges,
    incidents,
    lifts,
    lighting,
    linli,
    overview,
    waste,
)

BOARDS = (
    overview.BOARD,
    incidents.BOARD,
    lifts.BOARD,
    lighting.BOARD,
    waste.BOARD,
    edges.BOARD,
    delivery.BOARD,
    linli.BOARD,
)
