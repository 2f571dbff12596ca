"""Charts of the report: days, and blocks on a timeline, drawn as SVG."""
