"""The library's face: the same decisions as the gateway's, in your own process.

    from emafusion import EmaFusion

    with EmaFusion.from_config("emafusion.yaml") as ema:
        print(ema.chat("What is the capital of Norway?").text)

face.py     `EmaFusion`: open, chat, stream, explain, close; sync and async
wishes.py   what a call may ask for beyond its messages
stream.py   an answer that comes piece by piece
answer.py   what came back
"""

from emafusion.client.answer import Answer
from emafusion.client.face import EmaFusion
from emafusion.client.stream import AsyncStream, Stream
from emafusion.client.wishes import Messages, Wishes

__all__ = ["Answer", "AsyncStream", "EmaFusion", "Messages", "Stream", "Wishes"]
