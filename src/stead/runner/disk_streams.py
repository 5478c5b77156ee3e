"""Streams of disks between hosts, by this machine's SSH: what one host writes, another reads, or a file here."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO

from ansible_collections.stead.cloud.plugins.module_utils.host.backup import frames
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.images.writing import refuse_too_large

GRACE = 5


class HostRefused(Exception):  # noqa: N818 - names what happened
    """A host says why not, or nothing."""


def relayed(source: tuple[str, Sequence[str]], target: tuple[str, Sequence[str]]) -> dict[str, Any]:
    """What one host writes, another reads. Fails with what the source says where it is its fault."""
    with (
        tempfile.TemporaryFile() as wrong,
        subprocess.Popen(source[1], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=wrong) as writer,
    ):
        try:
            return read_by(target, writer.stdout)
        except HostRefused as error:
            if why := _why(source[0], writer, wrong):
                raise HostRefused(why) from error
            raise
        except BaseException:
            writer.terminate()
            raise


def _why(host: str, writer: subprocess.Popen[bytes], wrong: IO[bytes]) -> str:
    """What the source says, which may be about to say that it is its fault. One that goes on is told to end."""
    try:
        status = writer.wait(GRACE)
    except subprocess.TimeoutExpired:
        writer.terminate()
        writer.wait()
        return ""
    said = text_of(wrong) if status > 0 else b""
    return said_by(host, said) if said else ""


def read_by(target: tuple[str, Sequence[str]], stream: IO[bytes] | None) -> dict[str, Any]:
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as wrong:
        with subprocess.Popen(target[1], stdin=stream, stdout=said, stderr=wrong) as reader:
            if stream is not None:
                stream.close()  # the reader alone has it now: if it ends, the writer notices
            try:
                status = reader.wait()
            except BaseException:
                reader.terminate()
                raise
        if status:
            raise HostRefused(said_by(target[0], text_of(wrong)))
        answer: dict[str, Any] = json.loads(text_of(said))
        return answer


def text_of(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def said_by(host: str, wrong: bytes) -> str:
    """The error that its program wrote, or the last words of SSH."""
    lines = wrong.decode(errors="replace").strip().splitlines()
    for line in reversed(lines):
        try:
            return f"{host}: {json.loads(line)['error']}"
        except (ValueError, KeyError, TypeError):
            continue
    said = lines[-1] if lines else "it ended without a word"
    if "No such file" in said or "not found" in said:
        return f"{host} has not been prepared for backups: run `stead bootstrap` for it."
    return f"{host}: {said}"


def received(host: str, words: Sequence[str], path: Path, most: int, *, has_holes: bool = True) -> None:
    """Its name is there once all of it is. What has no holes is refused where it would fill this machine."""
    new = path.with_name(f".{path.name}.{os.urandom(6).hex()}.new")
    with (
        tempfile.TemporaryFile() as wrong,
        subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=wrong) as writer,
    ):
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                stream: BinaryIO = writer.stdout  # type: ignore[assignment]
                size = frames.size_in(stream, most)
                if not has_holes:
                    refuse_too_large(path.name, size, str(path))
                file.truncate(size)
                for offset, data in frames.pieces(stream, size):
                    file.seek(offset)
                    file.write(data)
            new.rename(path)
        except Failed as error:
            raise HostRefused(_why(host, writer, wrong) or str(error)) from error
        except OSError as error:
            writer.terminate()
            raise HostRefused(f"{path}: {error.strerror}.") from error
        finally:
            new.unlink(missing_ok=True)
