"""Anthropic's token counts -> Usage."""

from __future__ import annotations

from msgspec import Struct

from emafusion.domain.attempt import Usage


class _OutputDetails(Struct):
    thinking_tokens: int | None = None


class _Written(Struct):
    ephemeral_1h_input_tokens: int | None = None


class UsageFields(Struct):
    """The object `usage`, whole or in parts as a stream brings it."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: _Written | None = None
    output_tokens_details: _OutputDetails | None = None

    def over(self, earlier: UsageFields, /) -> UsageFields:
        """Put these counts over earlier ones: a stream's counts are totals so far."""
        details = self.output_tokens_details or earlier.output_tokens_details
        return UsageFields(
            input_tokens=_later(self.input_tokens, earlier.input_tokens),
            output_tokens=_later(self.output_tokens, earlier.output_tokens),
            cache_read_input_tokens=_later(
                self.cache_read_input_tokens, earlier.cache_read_input_tokens
            ),
            cache_creation_input_tokens=_later(
                self.cache_creation_input_tokens, earlier.cache_creation_input_tokens
            ),
            cache_creation=self.cache_creation or earlier.cache_creation,
            output_tokens_details=details,
        )

    def usage(self) -> Usage | None:
        """Give the counts our way: here `input_tokens` leaves out what the cache read or wrote."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        read = self.cache_read_input_tokens or 0
        written = self.cache_creation_input_tokens or 0
        hour = (self.cache_creation or _Written()).ephemeral_1h_input_tokens or 0
        details = self.output_tokens_details
        return Usage(
            prompt_tokens=(self.input_tokens or 0) + read + written,
            completion_tokens=self.output_tokens or 0,
            cached_prompt_tokens=read,
            cache_write_tokens=written,
            hour_write_tokens=min(max(hour, 0), written),
            reasoning_tokens=(details.thinking_tokens or 0) if details else 0,
        )


def _later(later: int | None, earlier: int | None) -> int | None:
    return earlier if later is None else later
