"""Grafana boards as code: what they show, the files made of it, and how those get to a Grafana.

`boards/` says what is shown, in two languages, from InfluxDB or from our own API; `build` makes
dashboards of it with the Foundation SDK, `generate` writes them below `files/`. Both need the extra
`dev`. `shipped` and `push` need nothing but the files.
"""
