"""Tier 1: options, hooks, command line, wizard and package."""
