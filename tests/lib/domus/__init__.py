"""What the API and system tests stand on: the contract, a client that holds every answer against it, the two places to test."""
