"""The files of the ingest: engines, tables, migrations."""
