"""The shop that the ServiceTitan stand-in serves: made up from a seed, true to life, and alive when asked."""

from .shop import Shop, Tenant, make_shop

__all__ = ["Shop", "Tenant", "make_shop"]
