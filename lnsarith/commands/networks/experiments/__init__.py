"""lnsarith sweep, runs, recipes, paper, front, report: whole experiments."""
