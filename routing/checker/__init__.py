"""The plan checker: judges a plan against the raw facts of its scenario; shares no derivation with the solver."""

from routing.checker.check import check_document, check_plan
from routing.checker.codes import Code
from routing.checker.report import Report, Violation

__all__ = ["Code", "Report", "Violation", "check_document", "check_plan"]
