"""Plots for the metadata of a materialization: bars of text, since that is what Dagster shows."""

from collections.abc import Mapping

import dagster as dg

WIDTH = 40


def bars(counts: Mapping[str, int]) -> dg.MarkdownMetadataValue:
    """Draw a bar for each count, the longest as wide as the plot; what is there at all shows."""
    longest = max([*counts.values(), 1])
    rows = [f"| {name} | {count} | {'█' * -(-count * WIDTH // longest)} |" for name, count in counts.items()]
    return dg.MetadataValue.md("\n".join(["| | | |", "|---|--:|:--|", *rows]))
