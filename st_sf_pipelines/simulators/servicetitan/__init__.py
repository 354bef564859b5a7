"""A stand-in for ServiceTitan behind a real socket, built from the published API and nothing of ours."""

from .simulator import ServiceTitanSimulator

__all__ = ["ServiceTitanSimulator"]
