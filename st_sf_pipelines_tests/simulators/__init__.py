"""The stand-ins keep to the published facts of the systems that they stand in for."""
