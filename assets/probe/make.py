"""Writes the vectors that the truth meter (src/engine/exam.rs) compares with: sentences.txt through the
Python reference, PyTorch in f32, mean over the tokens, unit length, as little-endian f16 [8, hidden].

    python make.py FOLDER_OF_all-MiniLM-L6-v2

needs torch, safetensors and tokenizers; the folder holds model.safetensors, tokenizer.json, config.json.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional as F

here = pathlib.Path(__file__).parent
folder = pathlib.Path(sys.argv[1])
config = json.loads((folder / "config.json").read_text())
weights = {name.removeprefix("bert."): value.float()
           for name, value in load_file(folder / "model.safetensors").items()}
tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
tokenizer.no_padding()
tokenizer.no_truncation()
hidden, heads = config["hidden_size"], config["num_attention_heads"]
epsilon = config["layer_norm_eps"]


def linear(name, x):
    return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def norm(name, x):
    return F.layer_norm(x, (hidden,), weights[f"{name}.weight"], weights[f"{name}.bias"], epsilon)


def embed(text):
    ids = torch.tensor(tokenizer.encode(text).ids)
    table = "embeddings.{}_embeddings.weight".format
    x = weights[table("word")][ids] + weights[table("position")][: len(ids)]
    x = norm("embeddings.LayerNorm", x + weights[table("token_type")][0])
    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}"
        q, k, v = (linear(f"{at}.attention.self.{part}", x).view(len(ids), heads, -1).transpose(0, 1)
                   for part in ("query", "key", "value"))
        shares = torch.softmax(q @ k.transpose(1, 2) / (hidden // heads) ** 0.5, dim=-1)
        mixed = (shares @ v).transpose(0, 1).reshape(len(ids), hidden)
        x = norm(f"{at}.attention.output.LayerNorm", x + linear(f"{at}.attention.output.dense", mixed))
        up = F.gelu(linear(f"{at}.intermediate.dense", x))
        x = norm(f"{at}.output.LayerNorm", x + linear(f"{at}.output.dense", up))
    return F.normalize(x.mean(dim=0), dim=0)


with torch.no_grad():
    rows = [embed(line) for line in (here / "sentences.txt").read_text().splitlines()]
(here / "all-MiniLM-L6-v2.f16").write_bytes(torch.stack(rows).half().numpy().astype("<f2").tobytes())
