"""Bodies and event streams of the model APIs: bytes <-> domain. No sockets, no clock."""
