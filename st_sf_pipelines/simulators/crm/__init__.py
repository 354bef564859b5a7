"""A stand-in for the CRM: the REST API of Payload CMS 3 over the CRM's collections, and its webhook receiver."""

from st_sf_pipelines.simulators.crm.simulator import CrmSimulator

__all__ = ["CrmSimulator"]
