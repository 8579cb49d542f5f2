"""Google's Gemini API, as an upstream."""

from emafusion.wire.gemini.dialect import GeminiDialect

__all__ = ["GeminiDialect"]
