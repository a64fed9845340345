"""The tests of the service: `make test` runs them against the services of the development stack."""
