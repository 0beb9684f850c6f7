"""A Whisper model of 10 MB that says one sentence, written by numpy: no torch, no download.

It has the architecture, the vocabulary layout and the files of a real CTranslate2 Whisper, so the true loading and
decoding path runs on it. Its decoder's residual branches are zero, so the hidden state at position p is the position
embedding p; the rows of the output projection are made such that position p emits the p-th token of the sentence.
It ignores what it hears. A prompt before the sentence (hotwords) shifts the positions and garbles it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2.specs import WhisperSpec
from ctranslate2.specs.model_spec import index_spec
from faster_whisper.tokenizer import _LANGUAGE_CODES
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

SIZES = {"toy": (1, 2, 64), "tiny": (4, 6, 384), "base": (6, 8, 512), "small": (12, 12, 768)}
"""Layers, heads, width. Benchmarks take the real sizes: they cost what real weights would."""
TEXT_TOKENS, VOCABULARY = 50257, 51865
PROMPT = 4
"""start, language, task, no timestamps: the first word is predicted at the last of them."""
POSITIONS = 448
Weights = NDArray[np.float32]
PREPROCESSOR = {"feature_size": 80, "sampling_rate": 16000, "hop_length": 160, "chunk_length": 30, "n_fft": 400}


def write_toy_whisper(directory: Path, sentence: str, size: str = "toy") -> Path:
    """Writes the model directory and returns it. At most 100 bytes of text survive the toy's crowded embedding."""
    directory.mkdir(parents=True, exist_ok=True)
    text, special, times = _tokens()
    tokenizer = _tokenizer(text, special, times)
    tokenizer.save(str(directory / "tokenizer.json"))
    layers, heads, width = SIZES[size]
    spec = WhisperSpec(layers, heads, layers, heads)
    _fill(spec, width)
    _script(spec, width, [*tokenizer.encode(sentence, add_special_tokens=False).ids, TEXT_TOKENS])
    spec.register_vocabulary(text + special + times)
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], [TEXT_TOKENS]
    spec.config.lang_ids = list(range(TEXT_TOKENS + 2, TEXT_TOKENS + 101))
    spec.config.alignment_heads = [[layers - 1, head] for head in range(heads)]
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(directory))
    (directory / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    return directory


def _tokens() -> tuple[list[str], list[str], list[str]]:
    """Text (bytes, then filler), special and time tokens, with the ids of openai/whisper multilingual."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    text = [*alphabet, *(f"f{i}_" for i in range(TEXT_TOKENS - 1 - len(alphabet))), ""]
    languages = [f"<|{code}|>" for code in _LANGUAGE_CODES if code != "yue"]
    tasks = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
    special = ["<|endoftext|>", "<|startoftranscript|>", *languages, *(f"<|{task}|>" for task in tasks)]
    return text, special, [f"<|{i * 0.02:.2f}|>" for i in range(1501)]


def _tokenizer(text: list[str], special: list[str], times: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(text)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    tokenizer.add_tokens([AddedToken(token, special=False, normalized=False) for token in times])
    return tokenizer


def _leaves(spec: Any, prefix: str = "") -> Iterator[str]:
    for key, value in vars(spec).items():
        path = f"{prefix}/{key}" if prefix else key
        if isinstance(value, list):
            for i, element in enumerate(value):
                yield from _leaves(element, f"{path}_{i}")
        elif hasattr(value, "_visit"):
            yield from _leaves(value, path)
        elif key in ("weight", "bias", "gamma", "beta", "encodings"):
            yield path


def _shape(name: str, d: int) -> tuple[int, ...]:
    leaf = name.rsplit("/", 1)[-1]
    wide = {"conv1": (d, 80, 3), "conv2": (d, d, 3), "self_attention/linear_0": (3 * d, d),
            "/attention/linear_1": (2 * d, d), "ffn/linear_0": (4 * d, d), "ffn/linear_1": (d, 4 * d)}  # fmt: skip
    shape = next((shape for part, shape in wide.items() if part in name), (d, d))
    if leaf == "encodings":
        return (1500 if name.startswith("encoder") else POSITIONS, d)
    if "embeddings" in name or "projection" in name:
        return (VOCABULARY, d)
    return shape if leaf == "weight" else shape[:1] if leaf == "bias" else (d,)


def _fill(spec: WhisperSpec, width: int) -> None:
    """Small random weights, neutral norms; embeddings and projections carry no bias."""
    rng = np.random.default_rng(0)
    for name in list(_leaves(spec)):
        scope, leaf = name.rsplit("/", 1)
        if leaf == "bias" and ("projection" in name or "embeddings" in name):
            continue
        shape = _shape(name, width)
        plain = {"gamma": np.ones, "beta": np.zeros, "bias": np.zeros}.get(leaf)
        weights = plain(shape, np.float32) if plain else (rng.standard_normal(shape) * 0.02).astype(np.float32)
        setattr(index_spec(spec, scope), leaf, weights)


def _script(spec: WhisperSpec, width: int, ids: list[int]) -> None:
    """Position PROMPT-1+i emits ids[i]."""
    places = np.random.default_rng(1).standard_normal((POSITIONS, width)).astype(np.float32)
    places -= places.mean(1, keepdims=True)
    places /= np.linalg.norm(places, axis=1, keepdims=True)
    rows: Weights = np.zeros((VOCABULARY, width), np.float32)
    for i, token in enumerate(ids):
        rows[token] += places[PROMPT - 1 + i] * 12
    decoder = spec.decoder
    decoder.embeddings.weight = np.zeros((VOCABULARY, width), np.float32)
    decoder.projection.weight, decoder.position_encodings.encodings = rows, places
    for layer in decoder.layer:
        layer.self_attention.linear[1].weight[:] = 0
        layer.attention.linear[2].weight[:] = 0
        layer.ffn.linear_1.weight[:] = 0
