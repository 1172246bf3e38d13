"""The pages: server-rendered, live, in Chinese and English.

`mount` adds them to the application of the ingest; they call the same services as its REST API.
"""

from dashboards.web.mount import mount

__all__ = ["mount"]
