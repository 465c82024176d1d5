//! Weight files: GGUF, safetensors, quantised blocks.
