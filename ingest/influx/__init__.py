"""InfluxDB: what is written there, how it gets there without loss, and reading it again."""
