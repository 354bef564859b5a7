"""When it runs: the only code that imports Dagster."""
