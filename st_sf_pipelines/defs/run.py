"""Moved."""

from st_sf_pipelines.operate.rounds import *  # noqa
