"""Measurements that anyone can run again, side by side with what people use otherwise."""
