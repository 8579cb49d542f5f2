"""Anthropic's messages API, as an upstream."""

from emafusion.wire.anthropic.dialect import AnthropicDialect

__all__ = ["AnthropicDialect"]
