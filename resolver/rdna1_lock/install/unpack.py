"""Write the files of a wheel into an environment, with PyPA's ``installer``.

Each file is made anew: what has its name is unlinked before, so that nothing is written through a
link, not even through a hard link into the cache of another installer.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import os
from typing import IO, TYPE_CHECKING, Any

import installer
from installer.records import Hash, RecordEntry
from installer.scripts import Script
from installer.utils import Scheme, construct_record_file

from rdna1_lock.errors import Error, one_line
from rdna1_lock.install.place import CHUNK, Folders
from rdna1_lock.install.plan import Destination, dist_info, plan
from rdna1_lock.install.wheelfile import INTERPRETER, LARGEST_SCRIPT, Member, Wheel, bad_wheel
from rdna1_lock.lock.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from rdna1_lock.install.plan import Layout


def unpack(wheel: Wheel, layout: Layout, metadata: Mapping[str, bytes]) -> None:
    """Install a wheel; ``metadata`` are further files of its dist-info folder.

    A RECORD with every name is written first, so that what a killed run leaves can be removed.

    Raises:
        InputError: the wheel is broken.
        OSError: the environment cannot be written.

    """
    writer = _Writer(wheel, layout)
    folder = dist_info(wheel, layout)
    names = [planned.path for planned in plan(wheel, layout)]
    names += [f"{folder}/{name}" for name in ("RECORD", *metadata)]
    rows = [(Scheme("purelib"), RecordEntry(_relative(n, folder), None, None)) for n in names]
    with construct_record_file(rows) as stream:
        writer.put(f"{folder}/RECORD", stream)
    try:
        installer.install(wheel, writer, dict(metadata))
    except (Error, OSError):
        raise
    except Exception as error:  # as `reading`, which takes an OSError for one of the wheel
        raise bad_wheel(wheel.filename, one_line(error)) from error


class _Writer(Destination):
    def __init__(self, wheel: Wheel, layout: Layout) -> None:
        super().__init__(wheel, layout)
        self._folders = Folders([layout.prefix, *layout.sites])
        self._info = dist_info(wheel, layout)

    def write_script(self, name: str, module: str, attr: str, section: Any) -> RecordEntry:
        script = Script(name, module, attr, section)
        _, content = script.generate(self.layout.python, "posix")
        return self._entry(self.script(name), io.BytesIO(content), executable=True)

    def write_file(
        self,
        scheme: Scheme,
        path: str | os.PathLike[str],
        stream: Any,
        is_executable: bool,
    ) -> RecordEntry:
        target = self.target(scheme, os.fspath(path))
        with self._opened(stream, scheme) as source:
            return self._entry(target, source, executable=is_executable or scheme == "scripts")

    def finalize_installation(
        self, scheme: Scheme, record_file_path: str, records: Iterable[tuple[Scheme, RecordEntry]]
    ) -> None:
        # The paths are relative to site-packages already.
        with construct_record_file(records) as stream:
            replace_file(self._info / "RECORD", stream.read())

    def put(self, path: str, source: IO[bytes], *, executable: bool = False) -> tuple[str, int]:
        """Write a file anew; returns its digest and size."""
        self._folders.make(os.path.dirname(path))
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        except IsADirectoryError:
            os.rmdir(path)
        mode = 0o777 if executable else 0o666
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        found, size = hashlib.sha256(), 0
        with os.fdopen(os.open(path, flags, mode), "wb") as file:
            while chunk := source.read(CHUNK):
                found.update(chunk)
                size += len(chunk)
                file.write(chunk)
        return base64.urlsafe_b64encode(found.digest()).rstrip(b"=").decode(), size

    def _entry(self, path: str, source: IO[bytes], *, executable: bool) -> RecordEntry:
        digest, size = self.put(path, source, executable=executable)
        return RecordEntry(_relative(path, self._info), Hash("sha256", digest), size)

    @contextlib.contextmanager
    def _opened(self, stream: Any, scheme: str) -> Iterator[IO[bytes]]:
        if not isinstance(stream, Member):
            yield stream
            return
        with stream.open() as file:
            if scheme != "scripts" or stream.info.file_size > LARGEST_SCRIPT:
                yield file
                return
            text = file.read()
        if text.startswith(INTERPRETER):
            text = _shebang(self.layout.python) + text.partition(b"\n")[2]
        yield io.BytesIO(text)


def _shebang(python: str) -> bytes:
    """Return the first lines of a script, which work for a path with spaces as well."""
    _, text = Script("any", "any", "any", "console").generate(python, "posix")
    return text.partition(b"# -*-")[0]


def _relative(path: str, folder: Path) -> str:
    return os.path.relpath(path, folder.parent)
