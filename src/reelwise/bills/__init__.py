"""Bills as providers export them: read, grouped by what is billed, mapped to the levers that could act on them."""

from __future__ import annotations

from reelwise.bills.audit import BillAudit, audit_bill, bill_table
from reelwise.bills.line import BillLine
from reelwise.bills.mapping import Fit, Group, map_levers
from reelwise.bills.reader import read_bill

__all__ = ["BillAudit", "BillLine", "Fit", "Group", "audit_bill", "bill_table", "map_levers", "read_bill"]
