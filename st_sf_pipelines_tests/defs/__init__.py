"""Tests of when it runs."""
