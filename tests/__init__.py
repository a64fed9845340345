"""The proof, in tiers: unit, render, docker; each can be run alone."""
