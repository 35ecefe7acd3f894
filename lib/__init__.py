"""Ask whether a network sees emotion as people do: the workbook's library, one idea per module."""
