"""のびしろ計器: a fictional maker of sensors with twenty reps and four divisions."""
