"""What people do, called by the REST API and the pages alike; every call checks the viewer."""

from ingest.services.desk import Services

__all__ = ["Services"]
