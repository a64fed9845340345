"""The queue (placeholder until it is merged)."""
