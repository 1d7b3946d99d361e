#!/usr/bin/env python3
"""Makes the golden files of the tests: test/golden, test/fixtures/models and test/fixtures/architectures, with test/golden/manifest.json.

    python scripts/make_golden.py                  all of it (needs scripts/requirements-golden.txt)
    python scripts/make_golden.py formats models   only these parts
    python scripts/make_golden.py architectures:gpt2   of the architectures only the fixtures whose names begin so
    python scripts/make_golden.py --verify         compares the files with the manifest; needs only Python
    python scripts/make_golden.py --manifest       writes only the manifest, of the files as they are (after a merge)

The files are committed: tests read them and never run this. Parts and their code: scripts/golden/<part>.py.
Exit codes: 0 done, 1 --verify found a difference, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "test" / "golden"
FIXTURES = ROOT / "test" / "fixtures"
MODELS = FIXTURES / "models"
MANIFEST = GOLDEN / "manifest.json"
REQUIREMENTS = Path(__file__).resolve().parent / "requirements-golden.txt"

# In the order in which they must run: later parts read what earlier ones wrote.
PARTS = (
    "formats", "maps", "decoder_header", "models", "architectures", "quantized_models", "quantized_kinds", "int8_matmul", "gguf_models",
    "gguf_architectures", "linear_layers", "tokenizer_cases", "chat_cases", "quality", "starter",
)


def hashes() -> dict[str, str]:
    """SHA-256 of every golden file, by its path from the repository root."""
    files = sorted(p for folder in (GOLDEN, FIXTURES) for p in folder.rglob("*") if p.is_file() and p != MANIFEST)
    return {str(p.relative_to(ROOT)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def write_manifest() -> None:
    from golden.common import SEED

    names = [line.split("==")[0] for line in REQUIREMENTS.read_text().splitlines() if "==" in line]
    manifest = {
        "script": "scripts/make_golden.py",
        "seed": SEED,
        "packages": {"python": sys.version.split()[0], **{name: metadata.version(name) for name in names}},
        "notes": [note for part in PARTS for note in importlib.import_module(f"golden.{part}").NOTES],
        "files": hashes(),
    }
    MANIFEST.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def verify() -> int:
    expected, found = json.loads(MANIFEST.read_text(encoding="utf-8"))["files"], hashes()
    problems = [f"{name}: not in the manifest" for name in sorted(found.keys() - expected.keys())]
    problems += [f"{name}: missing" for name in sorted(expected.keys() - found.keys())]
    problems += [f"{name}: changed" for name in sorted(found.keys() & expected.keys()) if found[name] != expected[name]]
    print("\n".join(problems) if problems else f"{len(found)} golden files are as the manifest says")
    return 1 if problems else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--manifest", action="store_true")
    args = parser.parse_args()
    wanted = {part: only for part, _, only in (given.partition(":") for given in args.parts)}
    if unknown := wanted.keys() - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}; there are: {', '.join(PARTS)}")
    if args.verify:
        return verify()
    sys.dont_write_bytecode = True
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "TRANSFORMERS_VERBOSITY": "error"}
    for part in PARTS:
        if args.manifest or (wanted and part not in wanted):
            continue
        print(f"{part} …", flush=True)
        write = importlib.import_module(f"golden.{part}").write
        write(GOLDEN, MODELS, wanted[part]) if wanted.get(part) else write(GOLDEN, MODELS)
    for path in map(ROOT.joinpath, hashes()):
        path.chmod(0o644)
    write_manifest()
    return 0


if __name__ == "__main__":
    sys.exit(main())
