"""Signatures read from bytes laid out by hand, and from modules that TensorFlow wrote."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.encoders.saved_model.signature import Signature, read_signature
from core.errors import EncoderError

Shape = tuple[int, ...] | None


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def field(number: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def tensor(name: str, shape: Shape, dtype: int = 1) -> bytes:
    dims = field(3, 1) if shape is None else b"".join(field(2, field(1, size)) for size in shape)
    return field(1, f"{name}:0") + field(2, dtype) + field(3, dims)


def graph(tags: list[str], signatures: dict[str, tuple[dict[str, bytes], dict[str, bytes]]]) -> bytes:
    out = field(1, b"".join(field(4, tag) for tag in tags))
    for name, (inputs, outputs) in signatures.items():
        definition = b"".join(field(1, field(1, key) + field(2, value)) for key, value in inputs.items())
        definition += b"".join(field(2, field(1, key) + field(2, value)) for key, value in outputs.items())
        out += field(5, field(1, name) + field(2, definition))
    return field(2, out)


def write(folder: Path, *graphs: bytes) -> Path:
    (folder / "saved_model.pb").write_bytes(field(1, 1) + b"".join(graphs))
    return folder


IMAGES = {"images": tensor("images", (-1, -1, -1, 13))}
FEATURES = {"default": tensor("features", (-1, 2048))}


def test_inference_graph_and_default_signature_are_chosen(tmp_path: Path) -> None:
    ends = FEATURES | {"block1": tensor("block1", (-1, -1, -1, 256))}
    wrong = {"default": ({"images": tensor("train_images", (-1, -1, -1, 13))}, FEATURES)}
    right = {"image_feature_vector": (IMAGES, ends), "default": (IMAGES, FEATURES)}
    signature = read_signature(write(tmp_path, graph(["train"], wrong), graph([], right)))
    assert (signature.name, signature.tags) == ("default", frozenset())
    assert signature.images.shape == (None, None, None, 13)
    assert (signature.images.tensor, signature.features.tensor) == ("images:0", "features:0")
    assert (signature.channels, signature.input_size, signature.dimension) == (13, None, 2048)


def test_one_vector_among_maps_is_found_by_shape(tmp_path: Path) -> None:
    outputs = {"pooled": tensor("p", (-1, 1, 1, 99)), "map": tensor("m", (-1, 7, 7, 99))}
    images = {"x": tensor("x", (-1, 96, 96, 3))}
    signature = read_signature(write(tmp_path, graph(["serve"], {"serving_default": (images, outputs)})))
    assert (signature.features.key, signature.dimension, signature.input_size) == ("pooled", 99, 96)


@pytest.mark.parametrize(
    ("inputs", "outputs", "sentence"),
    [
        ({"images": tensor("i", (-1, 8, 8, 13), dtype=4)}, FEATURES, "not 32-bit floats"),
        ({"images": tensor("i", (-1, 13))}, FEATURES, r"shape \(\?, 13\)"),
        ({"images": tensor("i", (-1, 13, 64, 64))}, FEATURES, "square"),
        (IMAGES | {"more": tensor("j", (-1, 2))}, FEATURES, "2 inputs"),
        (IMAGES, {"map": tensor("m", (-1, 7, 7, 9))}, r"gives map \(\?, 7, 7, 9\)"),
        (IMAGES, {"a": tensor("a", (-1, 9)), "b": tensor("b", (-1, 9))}, "one feature vector"),
        (IMAGES, {}, "gives nothing"),
    ],
)
def test_what_does_not_fit_is_explained(
    inputs: dict[str, bytes], outputs: dict[str, bytes], sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(EncoderError, match=sentence):
        read_signature(write(tmp_path, graph([], {"default": (inputs, outputs)})))


def test_graph_for_training_only_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="only a graph for training"):
        read_signature(write(tmp_path, graph(["train"], {"default": (IMAGES, FEATURES)})))


def test_several_unknown_signatures_are_listed(tmp_path: Path) -> None:
    both = {"first": (IMAGES, FEATURES), "second": (IMAGES, FEATURES)}
    with pytest.raises(EncoderError, match="first, second"):
        read_signature(write(tmp_path, graph([], both)))


def test_missing_empty_and_foreign_files_are_one_sentence(tmp_path: Path) -> None:
    for content in (None, b"", b"text, not a graph", b"\x12\xff\xff\xff\xff\x0f"):
        if content is not None:
            (tmp_path / "saved_model.pb").write_bytes(content)
        with pytest.raises(EncoderError, match=r"saved_model.pb .*\.$"):
            read_signature(tmp_path)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_damage_gives_a_signature_or_an_encoder_error(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    raw = bytearray((write(folder, graph([], {"default": (IMAGES, FEATURES)})) / "saved_model.pb").read_bytes())
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= data.draw(st.integers(1, 255))
    (folder / "saved_model.pb").write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
    found = None
    with suppress(EncoderError):
        found = read_signature(folder)
    assert found is None or isinstance(found, Signature)


def test_modules_of_tensorflow(model: Callable[[str], Path]) -> None:
    tiny = read_signature(model("tiny"))
    assert (tiny.name, tiny.tags, tiny.channels, tiny.dimension) == ("default", frozenset(), 13, 32)
    fixed = read_signature(model("tiny-fixed"))
    assert fixed.input_size == 32
    newer = read_signature(model("tf2"))
    assert (newer.name, newer.tags, newer.input_size) == ("serving_default", frozenset({"serve"}), 48)
    assert (newer.features.key, newer.dimension) == ("embedding", 24)
