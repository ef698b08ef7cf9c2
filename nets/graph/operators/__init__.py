"""The operators of graphs, in floats: functions of attributes and arrays."""
