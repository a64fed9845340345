"""Tier 2: every combination rendered, parsed, linted and typed."""
