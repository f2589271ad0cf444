"""The collector in ASGI services: watched, run in quiet moments, and which requests had to wait for it."""

from __future__ import annotations

from deadweight._asgi_lifespan import Service, lifespan, with_lifespan
from deadweight._asgi_requests import Hit, Middleware, RequestPauses, Requests

__all__ = ["Hit", "Middleware", "RequestPauses", "Requests", "Service", "lifespan", "with_lifespan"]
