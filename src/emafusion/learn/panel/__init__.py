"""Fitting the panel of judges on recorded answers: `python -m emafusion.learn.panel`."""
