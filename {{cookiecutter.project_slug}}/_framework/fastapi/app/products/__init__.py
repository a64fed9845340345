"""The products: a sample of a domain, to read, copy and delete."""
