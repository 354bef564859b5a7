"""One customer's story in a terminal: segment, state and deals, each with its rule, its records and its moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from st_sf_pipelines.console import out
from st_sf_pipelines.rules.pipelines import STAGE
from st_sf_pipelines.sync.explain import sentence

if TYPE_CHECKING:
    from rich.console import Console


def explained(report: dict[str, Any]) -> None:
    """Tell a customer's story in words."""
    customer, console = report["customer"], out()
    name = escape(customer["name"] or customer["last_name"])
    who = f"customer {customer['st_id']}" if customer["st_id"] else f"lead {customer['lead_id']}"
    console.print(f"[bold]{name}[/] ({who} of {report['tenant']})")
    if report["segment"]:
        _segment(console, report["segment"])
    if report["state"]:
        _state(console, report["state"])
    for deal in report["opportunities"]:
        _deal(console, deal)
    for each in report["held"]:
        _held(console, each)


def _segment(console: Console, segment: dict[str, Any]) -> None:
    evidence = segment["evidence"]
    invoices, job = evidence["invoices"], evidence["last_job"]
    console.print(f"Segment {segment['value']}: {segment['says']}")
    largest = ", ".join(map(str, invoices["largest"] or [])) or "none"
    value = f"${evidence['lifetime_value']:,.2f}"
    console.print(f"  lifetime value {value} from {invoices['count']} invoices; the largest: {largest}")
    if job:
        days = f"{evidence['last_job_date']}, {evidence['days_since_last_job']} days ago"
        console.print(f"  last job {escape(str(job['job_number'] or job['id']))} completed on {days}")
    else:
        console.print("  no completed job")
    due = segment["due_on"]
    console.print(f"  looked at again on {due}, without any event" if due else "  time alone will not change it")
    for move in segment["history"]:
        was = f"from {move['from_segment']} " if move["from_segment"] else ""
        console.print(f"  {move['valid_from']}: {was}to {move['to_segment']}")


def _state(console: Console, state: dict[str, Any]) -> None:
    by = f" (job {state['job_id']})" if state["job_id"] else ""
    console.print(f"State {state['value']}, {state['meaning']}: {state['says']}{by}")
    if state["reason"]:
        console.print(f"  set by hand: {escape(state['reason'])}")
    if state["due_on"]:
        console.print(f"  goes back to 0 on {state['due_on']}, without any event")
    for move in state["history"]:
        was = f"from {move['from_state']} " if move["from_state"] else ""
        why = f", by hand: {escape(move['reason'])}" if move["reason"] else ""
        console.print(f"  {move['valid_from']}: {was}to {move['to_state']}{why}")


def _deal(console: Console, deal: dict[str, Any]) -> None:
    value = f"${deal['value']:,.2f}" if deal["value"] is not None else "no value"
    console.print(f"Opportunity {deal['key']}: {escape(deal['title'])}")
    lost = f" ({deal['lost_reason']})" if deal["lost_reason"] else ""
    pinned = ", pinned" if deal["pinned"] else ""
    where = f"{deal['pipeline'].capitalize()}, {STAGE[deal['stage']].name}"
    console.print(f"  {where}, {deal['status']}{lost}{pinned}, {value}, close date {deal['close_on']}")
    for move in deal["history"]:
        was = f"from {_place(move, 'from')} " if move["from_stage"] else ""
        records = f" [{', '.join(move['records'])}]" if move["records"] else ""
        console.print(
            f"  {move['as_of']:%Y-%m-%d %H:%M}: {was}to {_place(move, 'to')}{escape(records)}", soft_wrap=True
        )
        console.print(f"    {move['rule']}: {escape(sentence(move['rule']))}", soft_wrap=True)
    for each in deal["held"]:
        _held(console, each)


def _held(console: Console, each: dict[str, Any]) -> None:
    records = f" ({', '.join(each['records'])})" if each["records"] else ""
    console.print(f"  held back by {each['rule']}: {escape(each['reason'])}{escape(records)}", soft_wrap=True)


def _place(move: dict[str, Any], side: str) -> str:
    status = "" if move[f"{side}_status"] == "open" else f" ({move[f'{side}_status']})"
    return f"{STAGE[move[f'{side}_stage']].name}{status}"
