"""Other people's price lists -> models: bytes in, models out; what a list omits is unknown."""

from emafusion.catalog.importing.litellm import from_litellm
from emafusion.catalog.importing.models_dev import from_models_dev
from emafusion.catalog.importing.openrouter import from_openrouter

__all__ = ["from_litellm", "from_models_dev", "from_openrouter"]
