"""Measurements, apart from the tests: each prints calls, wall time, CPU and peak memory of our own process."""
