"""Who a deal is assigned to: the technician of its job, the seller of its estimate or job, the campaign behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from st_sf_pipelines.rules.deals import Deal
    from st_sf_pipelines.rules.desk import Desk


def assignees(desk: Desk) -> None:
    """Bring technician, seller and campaign of each deal that is not lost up to date; a change of hands is counted."""
    for deal in desk.in_order:
        if deal.status != "lost":
            _assign(desk, deal)


def _assign(desk: Desk, deal: Deal) -> None:
    seen = desk.seen(deal)
    job, lead = seen.job, seen.lead
    sold = max(seen.offers("sold"), key=lambda each: (each.sold_at, each.age), default=None)
    seller = (sold.sold_by if sold else None) or (job.sold_by if job else None) or deal.seller_id
    technician = next(iter(job.technicians), None) if job else deal.technician_id
    campaign = (job.campaign_id if job else None) or (lead.campaign_id if lead else None) or deal.campaign_id
    changes = deal.changes + ((technician, seller) != (deal.technician_id, deal.seller_id))
    desk.write(deal, technician_id=technician, seller_id=seller, campaign_id=campaign, changes=changes)
