"""Moved."""

from st_sf_pipelines.operate.rounds import *  # noqa
from st_sf_pipelines.operate.targets import *  # noqa
