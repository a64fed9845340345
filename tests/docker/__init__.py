"""Tiers 3 and 4: every combination built, booted and probed, and the facts of its image."""
