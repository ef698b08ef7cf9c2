"""The functions Delta+ and Delta- of an LNS sum: each method, its tables, its segments."""
