"""Real wheels, built in memory: the same arguments give the same bytes."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from dataclasses import dataclass, field

EPOCH = (2020, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class WheelFile:
    filename: str
    content: bytes
    metadata: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Spec:
    name: str
    version: str
    requires: tuple[str, ...] = ()
    extras: dict[str, tuple[str, ...]] = field(default_factory=dict)
    requires_python: str | None = None
    tag: str = "py3-none-any"
    build: str | None = None
    modules: dict[str, str] = field(default_factory=dict)
    metadata_name: str | None = None
    metadata_version: str | None = None
    padding: int = 0
    front: bool = False


def metadata_text(spec: Spec) -> str:
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {spec.metadata_name or spec.name}",
        f"Version: {spec.metadata_version or spec.version}",
        "Summary: made for a test",
    ]
    if spec.requires_python:
        lines.append(f"Requires-Python: {spec.requires_python}")
    lines += [f"Requires-Dist: {text}" for text in spec.requires]
    for extra, texts in spec.extras.items():
        lines.append(f"Provides-Extra: {extra}")
        for text in texts:
            requirement, _, marker = text.partition(";")
            both = f"({marker.strip()}) and " if marker else ""
            lines.append(f'Requires-Dist: {requirement.strip()} ; {both}extra == "{extra}"')
    return "\n".join(lines) + "\n\nA description.\n"


def make_wheel(spec: Spec) -> WheelFile:
    stem = f"{spec.name.replace('-', '_')}-{spec.version}"
    build = f"-{spec.build}" if spec.build else ""
    info = f"{stem}.dist-info"
    metadata = metadata_text(spec).encode()
    pure = "true" if spec.tag.endswith("any") else "false"
    wheel = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {pure}\n"
    python, abi, platform = spec.tag.split("-")
    for one in platform.split("."):
        wheel += f"Tag: {python}-{abi}-{one}\n"
    module = spec.name.replace("-", "_")
    body = {f"{module}/__init__.py": f'__version__ = "{spec.version}"\n', **spec.modules}
    if spec.padding:
        noise = b"".join(
            hashlib.sha256(f"{stem}{number}".encode()).digest()
            for number in range(spec.padding // 32)
        )
        body[f"{module}/data.bin"] = noise.hex()
    dist_info = {f"{info}/METADATA": metadata.decode(), f"{info}/WHEEL": wheel}
    files = {**dist_info, **body} if spec.front else {**body, **dist_info}
    record = "".join(
        f"{path},sha256={_b64(text.encode())},{len(text.encode())}\n"
        for path, text in files.items()
    )
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            entry = zipfile.ZipInfo(path, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    return WheelFile(f"{stem}{build}-{spec.tag}.whl", buffer.getvalue(), metadata)


def _b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
