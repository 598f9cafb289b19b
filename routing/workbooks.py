"""Reading the one sheet of an XLSX workbook that holds a table."""

from __future__ import annotations

import io
import warnings
import zipfile
from typing import Final
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from geodata.errors import FaultCollector
from routing.cells import NO_RESULT, is_blank
from routing.fault_codes import FaultCode
from routing.records import Where

Sheets = dict[str, list[list[object]]]
_BROKEN: Final = (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, TypeError, OSError)


def read_sheet(data: bytes, name: str, where: Where, collector: FaultCollector) -> list[list[object]] | None:
    """Return the lines of cells of the sheet called `name`, or of the only filled one; None with a fault otherwise.

    Formulas yield the results the spreadsheet stored; one without a stored result yields `NO_RESULT`, never a blank.
    """
    try:
        sheets = _filled_sheets(data)
    except _BROKEN as error:
        reason, remedy = f"the workbook cannot be read: {error}", "Open it in a spreadsheet and save it as .xlsx again."
        collector.add(where.fault(FaultCode.BROKEN_FILE, None, None, reason, remedy))
        return None
    chosen = [title for title in sheets if title.strip().lower() == name] or list(sheets)
    if len(chosen) > 1:
        reason = f"the workbook has {len(chosen)} filled sheets: {', '.join(chosen)}"
        collector.add(
            where.fault(FaultCode.AMBIGUOUS_SHEET, None, None, reason, f"Name the sheet to be read '{name}'.")
        )
        return None
    return sheets[chosen[0]] if chosen else []


def _filled_sheets(data: bytes) -> Sheets:
    formulas = _cells(data, results=False)
    if any(_is_formula(cell) for lines in formulas.values() for line in lines for cell in line):
        results = _cells(data, results=True)
        for title, lines in formulas.items():
            for y, line in enumerate(lines):
                for x, cell in enumerate(line):
                    if _is_formula(cell):
                        result = results[title][y][x]
                        line[x] = NO_RESULT if result is None else result
    return {title: lines for title, lines in formulas.items() if any(not is_blank(c) for line in lines for c in line)}


def _cells(data: bytes, *, results: bool) -> Sheets:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of styles and validations it drops; the values are all there
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=results)
        try:
            return {
                sheet.title: [list(line) for line in sheet.iter_rows(values_only=True)] for sheet in book.worksheets
            }
        finally:
            book.close()


def _is_formula(cell: object) -> bool:
    return (isinstance(cell, str) and cell.startswith("=")) or type(cell).__name__ in {
        "ArrayFormula",
        "DataTableFormula",
    }
