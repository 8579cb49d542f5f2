"""The HTTP server: admission, the async driver and the log writer."""
