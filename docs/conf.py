"""How `make docs` makes a site of these pages; each of them reads well without it too."""

project = "Bedrock quota enforcer"
html_title = project
html_theme = "furo"
html_show_copyright = False
html_copy_source = False
extensions = ["myst_parser"]
myst_heading_anchors = 3  # so that a link to a heading is checked
