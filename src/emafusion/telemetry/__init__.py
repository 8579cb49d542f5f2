"""What goes on, for those who run the gateway: metrics, spans, lines. All of it made of outcomes.

Nothing here is on the path of a request: outcomes are put aside when they are in the log, and
looked at when the event loop has a moment.
"""
