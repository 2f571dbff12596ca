"""The report: one page that shows who uses what, what runs out, and who was blocked when."""
