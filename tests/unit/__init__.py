"""Tests of the generator: options, hooks, command line, wizard and package."""
