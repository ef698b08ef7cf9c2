"""Modules written by hand as text, and their spare bits."""
