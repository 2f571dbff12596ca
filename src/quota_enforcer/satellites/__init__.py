"""Further Regions and accounts of a deployment: names, which there are, and what home takes."""
