"""report.html and tables.xlsx: what a run hands on, made from its folder alone."""
