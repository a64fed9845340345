"""The sample: a catalogue of products."""
