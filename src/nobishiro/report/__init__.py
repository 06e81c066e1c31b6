"""The report and the workbook people look at: result tables in, files out."""

from nobishiro.report.data import Measure, ReportData
from nobishiro.report.page import write_report
from nobishiro.report.workbook import write_workbook

__all__ = ["Measure", "ReportData", "write_report", "write_workbook"]
