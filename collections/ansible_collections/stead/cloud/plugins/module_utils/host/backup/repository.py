"""The backups that this host keeps: a repository of restic's, and its password, which never leaves the host.

Hosts whose disks are backed up get neither: they can send, and can neither read nor remove what was sent. A backup
counts once restic has written all of it: what ends early is thrown away, whatever restic would make of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import subprocess
import tempfile
from typing import IO, Any, BinaryIO, Dict, Iterator, List, Mapping, Sequence
from urllib.parse import quote, unquote

from ..base import commands, paths
from ..base.errors import Failed, FailureCode
from . import frames, staged

NONE = FailureCode("STEAD-E187", "this host keeps no backups")
GONE = FailureCode("STEAD-E188", "the backup repository is not there")
REFUSES = FailureCode("STEAD-E189", "the backup repository cannot be used")
UNKNOWN = FailureCode("STEAD-E190", "there is no such backup")
DAMAGED = FailureCode("STEAD-E191", "the backup repository is damaged")

SETTINGS = "/etc/stead/backup.json"
PASSWORD = "/etc/stead/backup.password"  # noqa: S105 - where it is
TAG = "stead"
PLAIN = "/[]:@-_.+ "  # of a tag: restic splits at commas
LONG = 7 * 24 * 3600  # seconds, for what reads or writes all of it


def prepare() -> None:
    """Once, when the host is prepared. One that was there is never made anew: it may only be unmounted."""
    if not os.path.exists(PASSWORD):
        paths.write(PASSWORD, secrets.token_urlsafe(32) + "\n")
    if not os.path.exists(_config()):
        if os.path.isdir(_path()) and os.listdir(_path()):
            text = "{0} has files and no repository. Give an empty directory, or the one that has it."
            raise Failed(REFUSES, text.format(_path()))
        paths.directory(_path())
        _run(["init", "--repository-version", "2"])
    _run(["cat", "config"])


def keep(told: Mapping[str, Any], source: BinaryIO) -> Dict[str, Any]:
    """A disk that arrives, as a backup."""
    size = frames.size_in(source, int(told["most"]))
    tags = {"address": told["address"], "host": told["host"], "moment": told["moment"], "size": str(size)}
    words = ["backup", "--json", "--stdin", "--stdin-filename", told["serial"], "--host", "stead", "--tag", TAG]
    words += [one for name, text in tags.items() for one in ("--tag", name + "=" + quote(text, safe=PLAIN))]
    with _shared(), tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as wrong:
        process = subprocess.Popen(_words(words), stdin=subprocess.PIPE, stdout=said, stderr=wrong, env=_environment())
        into: IO[bytes] = process.stdin  # type: ignore[assignment]
        try:
            for data in frames.whole(source, size):
                into.write(data)
            into.close()
        except BrokenPipeError:
            pass  # it says why
        except BaseException:  # it must not see an end: it would take what it has for the whole
            process.kill()
            process.wait()
            raise
        if process.wait() != 0:
            raise _refused(_text(wrong))
        made = [one for one in map(json.loads, _text(said).splitlines()) if one.get("message_type") == "summary"][-1]
    return {"id": made["snapshot_id"][:8], "size": size, "added": made["data_added"]}


def listed() -> List[Dict[str, Any]]:
    with _shared():
        return _listed()


def send(told: Mapping[str, Any], out: BinaryIO) -> None:
    """One backup, of this address: who may have it was decided by what the address is."""
    with _shared(), tempfile.TemporaryFile() as wrong:
        found = [one for one in _listed() if one["id"] == told["id"] and one["address"] == told["of"]]
        if not found:
            text = "No backup {0} of {1}. `stead backup list` lists those that there are."
            raise Failed(UNKNOWN, text.format(told["id"], told["of"]))
        one = found[0]
        size = one["size"]
        words = _words(["dump", one["id"], "/" + one["serial"]])
        with subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=wrong, env=_environment()
        ) as process:
            sent = frames.ContentWriter(out, size)
            at, file = 0, process.stdout
            while file is not None:
                data = file.read(frames.BLOCK)
                if not data:
                    break
                sent.put(at, data)
                at += len(data)
        if process.returncode != 0:
            raise _refused(_text(wrong))
        if at != size:
            raise Failed(DAMAGED, "Backup {0} has {1} bytes of {2}.".format(one["id"], at, size))
        sent.end()


def forget(told: Mapping[str, Any]) -> Dict[str, Any]:
    """What the policy no longer keeps, of each disk on its own. The last of a disk always stays."""
    policy = _settings().get("keep") or {}
    words = [one for name, count in sorted(policy.items()) for one in ("--keep-" + name, str(count))]
    with _lone():
        before = len(_listed())
        if words:
            _run(["forget", "--tag", TAG, "--group-by", "paths", "--keep-last", "1", *words, "--prune"], LONG)
        for name in told.get("ids") or ():
            if name not in {one["id"] for one in _listed()}:
                raise Failed(UNKNOWN, "No backup {0}.".format(name))
            _run(["forget", name, "--prune"], LONG)
        return {"forgotten": before - len(_listed())}


def verify(told: Mapping[str, Any]) -> Dict[str, Any]:
    """All of it is read and its digests are compared; quick: what belongs together is there."""
    with _lone():
        if not os.path.exists(_config()):
            raise _gone()
        words = ["check"] + ([] if told.get("quick") else ["--read-data"])
        status, out, err = _attempt(words, LONG)
        if status != 0:
            said = "\n".join(line for line in (out + err).splitlines() if _is_wrong(line))
            raise Failed(DAMAGED, (said or err.strip() or out.strip())[-commands.TAIL :])
        return {"backups": len(_listed())}


def _is_wrong(line: str) -> bool:
    return any(word in line for word in ("error", "Fatal", "damaged", "not found", "does not match", "unexpected"))


def _listed() -> List[Dict[str, Any]]:
    found = []
    for one in json.loads(_run(["snapshots", "--json", "--tag", TAG])) or ():
        tags = dict(tag.split("=", 1) for tag in one.get("tags") or () if "=" in tag)
        found.append(
            {
                "id": one["short_id"],
                "at": one["time"],
                "serial": os.path.basename(one["paths"][0]),
                "address": unquote(tags.get("address", "")),
                "host": unquote(tags.get("host", "")),
                "moment": tags.get("moment", ""),
                "size": int(tags.get("size", 0)),
            }
        )
    return sorted(found, key=lambda one: str(one["at"]))


def _settings() -> Dict[str, Any]:
    data = paths.read_bytes(SETTINGS)
    if data is None:
        text = "Its inventory has no stead_backup for it, or it was not prepared since. Run `stead bootstrap` for it."
        raise Failed(NONE, text)
    found: Dict[str, Any] = json.loads(data)
    return found


def _path() -> str:
    return str(_settings()["path"])


def _config() -> str:
    return os.path.join(_path(), "config")


def _gone() -> Failed:
    text = (
        "{0} has no repository any more. Is its disk mounted? Nothing was made there. If it is lost, remove {1} on this"
        " host and run `stead bootstrap` for it: that makes an empty one."
    )
    return Failed(GONE, text.format(_path(), SETTINGS))


def _words(words: Sequence[str]) -> List[str]:
    return ["setpriv", "--pdeathsig", "KILL", "--", "restic", "--no-cache", *words]


def _environment() -> Dict[str, str]:
    """Nothing of it is a secret: the password is in a file of root's."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/root",
        "RESTIC_REPOSITORY": _path(),
        "RESTIC_PASSWORD_FILE": PASSWORD,
        "RESTIC_PROGRESS_FPS": "0.01",
    }


def _attempt(words: Sequence[str], timeout: float) -> Any:
    argv = ["env", *("{0}={1}".format(*one) for one in sorted(_environment().items())), *_words(words)]
    return commands.attempt(argv, timeout=timeout)


def _run(words: Sequence[str], timeout: float = 600) -> str:
    if words[0] != "init" and not os.path.exists(_config()):
        raise _gone()
    status, out, err = _attempt(words, timeout)
    if status != 0:
        raise _refused(err or out)
    return str(out)


def _refused(said: str) -> Failed:
    text = said.strip()[-commands.TAIL :]
    if not os.path.exists(_config()):
        return _gone()
    if "wrong password" in said:
        text += ". {0} is not the password that this repository was made with: put that one there.".format(PASSWORD)
    elif "no space left" in said:
        text += ". Make room at {0}, or keep fewer. What was there before is as it was.".format(_path())
    return Failed(REFUSES, "restic says: {0}".format(text))


def _text(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode(errors="replace"))


@contextlib.contextmanager
def _locked(how: int) -> Iterator[None]:
    """restic does not wait for its own locks; those of processes that were killed are removed."""
    with open(os.path.join(paths.directory(staged.LOCKS), "repository"), "wb") as file:
        fcntl.flock(file, how)
        if os.path.exists(_config()):
            _run(["unlock", "--quiet"])
        yield


def _shared() -> Any:
    return _locked(fcntl.LOCK_SH)


def _lone() -> Any:
    return _locked(fcntl.LOCK_EX)
