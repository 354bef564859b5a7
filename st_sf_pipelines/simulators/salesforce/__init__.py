"""A stand-in for Salesforce: OAuth, REST, sObject Collections, composite requests and SOQL, strict as a real org."""

from st_sf_pipelines.simulators.salesforce.simulator import SalesforceSimulator

__all__ = ["SalesforceSimulator"]
