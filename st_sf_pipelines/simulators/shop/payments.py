"""Payments: what was paid on each invoice is its total less what is still owed and what was taken off again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .lots import Lots
    from .records import Records


def fill(records: Records, lots: Lots) -> None:
    """Write the payments; one in ten is paid in two parts, and one in a hundred was entered twice and voided."""
    invoices = records.invoices
    if not len(invoices):
        return
    total, adjusts = invoices.seen("total"), invoices.seen("adjusts")
    off = np.zeros(len(total), dtype=np.int64)
    adjusting = np.flatnonzero(adjusts >= 0)
    np.add.at(off, adjusts[adjusting], total[adjusting])
    paid = np.where(adjusts < 0, total - invoices.seen("balance") + off, 0) * invoices.seen("active")
    whole = np.flatnonzero(paid > 0)
    chance = lots.chance("pays", len(whole))
    parts, twice = whole[chance < 0.1], whole[chance > 0.99]
    first = np.where(chance < 0.1, paid[whole] // 2, paid[whole])
    invoice = np.concatenate([whole, parts, twice])
    amount = np.concatenate([first, paid[parts] - paid[parts] // 2, paid[twice]])
    active = np.concatenate([np.ones(len(whole) + len(parts)), np.zeros(len(twice))])
    when = invoices.seen("modified")[invoice]
    order = np.argsort(when, kind="stable")
    order = order[amount[order] > 0]
    records.payments.extend(
        invoice=invoice[order],
        total=amount[order],
        draw=lots.draws("payment", len(order)),
        created=when[order],
        modified=when[order],
        active=active[order],
    )
