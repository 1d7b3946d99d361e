"""Writes numpy arrays as a C++ header of namespace nibble::golden."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np


class HeaderWriter:
    """Collects C++ definitions, 120 columns wide."""

    def __init__(self, preamble: str) -> None:
        self.lines: list[str] = [preamble]

    def comment(self, text: str) -> None:
        self.lines.append(f"// {text}")

    def array(self, name: str, values: np.ndarray) -> None:
        """fp32 and wider integers are written as hexadecimal words, int8 as decimals, bytes as two digits."""
        flat = np.ascontiguousarray(values).ravel()
        if flat.dtype == np.float32:
            flat = flat.view(np.uint32)
        c_type, digits = {"uint8": ("uint8_t", 2), "uint16": ("uint16_t", 4), "uint32": ("uint32_t", 8),
                          "int8": ("int8_t", 0)}[str(flat.dtype)]
        words = [f"0x{v:0{digits}x}" if digits else str(v) for v in flat.tolist()]
        per_line = 118 // (digits + 4 if digits else 6)
        rows = [", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
        self.lines.append(f"inline constexpr {c_type} {name}[{len(words)}] = {{")
        self.lines.append(",\n".join(f"  {row}" for row in rows) + "};\n")

    def table(self, c_type: str, name: str, rows: list[str]) -> None:
        self.lines.append(f"inline constexpr {c_type} {name}[] = {{")
        for row in rows:
            self.lines += textwrap.wrap(f"{{{row}}},", 120, initial_indent="  ", subsequent_indent="      ")
        self.lines.append("};\n")

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(self.lines) + "}  // namespace nibble::golden\n", encoding="utf-8")
