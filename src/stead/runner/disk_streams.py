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
            try:
                writer.wait(GRACE)  # it may be about to say that it is its fault
            except subprocess.TimeoutExpired:
                writer.terminate()
            if writer.wait() > 0 and (why := text_of(wrong)):  # less: it was told to end, for it is the other's fault
                raise HostRefused(said_by(source[0], why)) from error
            raise
        except BaseException:
            writer.terminate()
            raise


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


def received(host: str, words: Sequence[str], path: Path, most: int) -> None:
    """Its name is there once all of it is."""
    new = path.with_name(f".{path.name}.{os.urandom(6).hex()}.new")
    with (
        tempfile.TemporaryFile() as wrong,
        subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=wrong) as writer,
    ):
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                stream: BinaryIO = writer.stdout  # type: ignore[assignment]
                size = frames.size_in(stream, most)
                file.truncate(size)
                for offset, data in frames.pieces(stream, size):
                    file.seek(offset)
                    file.write(data)
            new.rename(path)
        except Failed as error:
            writer.wait()
            raise HostRefused(said_by(host, text_of(wrong)) if writer.returncode else str(error)) from error
        except OSError as error:
            writer.terminate()
            raise HostRefused(f"{path}: {error.strerror}.") from error
        finally:
            new.unlink(missing_ok=True)
