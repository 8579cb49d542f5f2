"""Models, prices, limits and abilities; usage -> cost_usd."""
