"""Tests in three tiers: unit, render, docker. Each can be run alone."""
