"""Whole experiments: sweeps over settings, the store of their runs, tables, fronts, reports."""
