"""The report and the workbook people look at: result tables in, files out."""
