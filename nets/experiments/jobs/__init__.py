"""Many trainings: the plan, the processes, the store of runs."""
