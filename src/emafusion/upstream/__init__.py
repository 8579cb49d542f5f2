"""Clients of the model providers: pool, dialects, health, local models."""
