"""The description of the APIs that this gateway answers, as OpenAPI 3.1."""
