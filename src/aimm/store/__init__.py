"""Keep models: files that are written whole or not at all, and verified before any plugin is imported."""

from aimm.store._file import FORMAT_VERSION, Header, load_model, read_header, save_model, verify_model

__all__ = ["FORMAT_VERSION", "Header", "load_model", "read_header", "save_model", "verify_model"]
