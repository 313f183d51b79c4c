"""Writes the declaration of a dataset from sample files."""
