"""The tests: `make test` runs them against the services of the development stack."""
