"""Pictures of a report, each a Vega-Lite specification: plain values, no code of their own."""
