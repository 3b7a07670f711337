"""The real torch 1.13.1 and torchvision 0.14.1, for a processor, under the names of ROCm builds.

The default index has CUDA builds only. Their wheels are taken apart and put together again with
the version's local label, without the requirements on CUDA, and with two stand-ins for libcublas
and libcudnn, which the loader wants and a processor never calls: 0.9 GB less to download. The
code that computes is untouched.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tools.downloads import downloads

# What wheels of one set of inputs are dated, so that the bytes are the same again.
EPOCH = (2020, 1, 1, 0, 0, 0)
TORCH = ("torch", "1.13.1", "manylinux1_x86_64")
VISION = ("torchvision", "0.14.1", "manylinux1_x86_64")
STUBS = {"cublas": "libcublas.so.11", "cudnn": "libcudnn.so.8"}


def rocm_named_wheels() -> dict[str, Path]:
    """Return both wheels by project; made once, kept in the cache."""
    folder = downloads("torch")
    made = {}
    for name, version, platform in (TORCH, VISION):
        target = folder / f"{name}-{version}+rocm5.2-cp310-cp310-linux_x86_64.whl"
        if not target.exists():
            source = _download(folder, name, version, platform)
            _repack(source, target, name, version)
        made[name] = target
    return made


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def metadata_of(path: Path) -> list[str]:
    """Return the requirements of a wheel."""
    with zipfile.ZipFile(path) as archive:
        [name] = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
        text = archive.read(name).decode()
    return re.findall(r"^Requires-Dist: (.*)$", text, re.MULTILINE)


def _download(folder: Path, name: str, version: str, platform: str) -> Path:
    command = [
        *(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"),
        *("--python-version", "3.10", "--implementation", "cp", "--abi", "cp310"),
        *("--platform", platform, "-d", str(folder), f"{name}=={version}"),
    ]
    subprocess.run(command, check=True)
    [wheel] = folder.glob(f"{name}-{version}-cp310-*.whl")
    return wheel


def _repack(source: Path, target: Path, name: str, version: str) -> None:
    old, new = f"{name}-{version}.dist-info", f"{name}-{version}+rocm5.2.dist-info"
    part = target.with_suffix(".part")
    with (
        zipfile.ZipFile(source) as archive,
        zipfile.ZipFile(part, "w", zipfile.ZIP_STORED, allowZip64=True) as out,
    ):
        record = list(csv.reader(io.StringIO(archive.read(f"{old}/RECORD").decode())))
        rows = [row for row in record if not row[0].startswith(old)]
        for entry in archive.infolist():
            if not entry.filename.startswith(old):
                with (
                    archive.open(entry) as file,
                    out.open(_entry(entry.filename), "w", force_zip64=True) as to,
                ):
                    while chunk := file.read(1 << 20):
                        to.write(chunk)
        added = {}
        if name == "torch":
            added = {f"torch/lib/{lib}": code for lib, code in _stubs(archive).items()}
        metadata = archive.read(f"{old}/METADATA").decode()
        metadata = re.sub(
            r"^Version: .*$", rf"Version: {version}+rocm5.2", metadata, flags=re.MULTILINE
        )
        metadata = re.sub(r"^Requires-Dist: nvidia-.*\n", "", metadata, flags=re.MULTILINE)
        added[f"{new}/METADATA"] = metadata.encode()
        added[f"{new}/WHEEL"] = archive.read(f"{old}/WHEEL")
        for path, content in added.items():
            out.writestr(_entry(path), content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            rows.append([path, f"sha256={digest.decode()}", str(len(content))])
        rows.append([f"{new}/RECORD", "", ""])
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        out.writestr(_entry(f"{new}/RECORD"), text.getvalue())
    part.rename(target)


def _entry(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, EPOCH)


def _stubs(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Build libraries with every symbol that torch wants of CUDA; calling one aborts loudly."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        wanted: set[str] = set()
        for entry in archive.namelist():
            if re.fullmatch(r"torch/lib/libtorch_cuda\w*\.so|torch/lib/libcud\w+.*\.so.*", entry):
                library = folder / "library"
                with archive.open(entry) as file, library.open("wb") as to:
                    while chunk := file.read(1 << 20):
                        to.write(chunk)
                listed = subprocess.run(
                    ["nm", "-D", "--undefined-only", library],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                wanted |= {line.split()[-1] for line in listed.stdout.splitlines()}
        made = {}
        for prefix, name in STUBS.items():
            symbols = sorted({s.split("@")[0] for s in wanted if re.match(rf"{prefix}[A-Z]", s)})
            assert len(symbols) > 50, (prefix, len(symbols))
            code = [
                "#include <stdio.h>",
                "#include <stdlib.h>",
                'static void die(const char *n) { fprintf(stderr, "CUDA called: %s\\n", n); abort(); }',
                *(f'void {symbol}(void) {{ die("{symbol}"); }}' for symbol in symbols),
            ]
            (folder / "stub.c").write_text("\n".join(code) + "\n")
            exported = "\n".join(f"{symbol};" for symbol in symbols)
            (folder / "stub.map").write_text(f"{name} {{\nglobal:\n{exported}\nlocal: *;\n}};\n")
            subprocess.run(
                [
                    *("gcc", "-O1", "-shared", "-fPIC", "-o", str(folder / name)),
                    *(str(folder / "stub.c"), f"-Wl,-soname,{name}"),
                    f"-Wl,--version-script={folder / 'stub.map'}",
                ],
                check=True,
            )
            made[name] = (folder / name).read_bytes()
        return made
