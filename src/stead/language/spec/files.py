"""Finds and reads the files of a spec. The only part of the language that touches a disk."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from os.path import normpath, relpath
from pathlib import Path

from stead.core.blake2 import blake2b
from stead.core.diagnostics import Code, Diagnostic, Place
from stead.language import document
from stead.language.document import Literal, Node, Scalar

NO_FILE = Code("STEAD-L020", "a file cannot be read")
OUTSIDE = Code("STEAD-L027", "a file lies outside the directory of the spec")
EMPTY = Code("STEAD-L021", "no spec found")

LONGEST = 1 << 20  # bytes of a text that is a variable's value
LARGEST = 256 << 20  # bytes; 100,000 instances written out have 20 MiB
# Files beside a spec that are YAML and no part of it.
OTHERS = ("inventory.yml", "inventory.yaml", ".test.yml", ".test.yaml", ".vars.yml", ".vars.yaml", "prices.yml")


class ParsedFiles:
    """Nodes of files, for a process that reads a spec again and again: what has the same bytes is the same node."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[bytes, Node | None]] = {}

    def read(self, data: bytes, name: str) -> tuple[Node | None, list[Diagnostic]]:
        from stead.language.document.parser import read

        digest = blake2b(data).digest()
        known = self._known.get(name)
        if known is not None and known[0] == digest:
            return known[1], []
        node, found = read(data, name)
        if not found:
            self._known[name] = (digest, node)
        return node, found

    def keep(self, names: Container[str]) -> None:
        """Of the other files, there is nothing more to read."""
        self._known = {name: one for name, one in self._known.items() if name in names}


class Files:
    """Reads documents, each file once, and names them as the user did: an editor opens that."""

    def __init__(self, root: Path, parsed: ParsedFiles | None = None) -> None:
        self.root, self._parsed = root, parsed
        self.found: list[Diagnostic] = []
        self.whole = True  # so far, every file could be read to its end
        self.owners: dict[str, str] = {}  # file -> the project whose people own it, or "", the site
        self._read: dict[Path, Node | None] = {}

    def spec(self, paths: Sequence[Path]) -> list[Node]:
        files = dict.fromkeys(file for path in paths for file in self._expand(path))
        read = {file: node for file in files if (node := self.document(file)) is not None}
        if not read and self.whole:  # to plan by would be to destroy everything that there is
            for file in files:
                text = "The file is empty. A spec begins with the line `stead: 1`."
                self.found.append(EMPTY.at(Place(str(file), 1, 1), text))
        return list(read.values())

    def _expand(self, path: Path) -> list[Path]:
        if not path.is_dir():
            return [path]
        files = sorted(
            file
            for pattern in ("*.yml", "*.yaml")
            for file in path.glob(pattern)
            if not file.name.startswith(".") and not file.name.endswith(OTHERS)
        )
        if not files:
            text = f"{path} has no *.yml file. Write one (`stead init` makes one), or name another place."
            self.found.append(EMPTY.at(None, text))
        return files

    def owned(self, path: Path, named_at: Place, project: str) -> list[Node]:
        """The files of a project's people: a folder, or one file. No link leads there, and none leads out."""
        base = self.root.resolve()
        whole = Path(normpath(base / relpath(path, self.root)))
        if self._real(path) != whole or not whole.is_relative_to(base):
            text = (
                f"{path} leads out of the spec's directory, or through a link, and is not read. Files of a "
                "project's people lie in a plain folder beside the spec."
            )
            self._refuse(OUTSIDE, named_at, text)
            return []
        files = self._expand(path)
        nodes = [self.document(file, named_at, walls=path, project=project) for file in files]
        return [node for node in nodes if node is not None]

    def _real(self, path: Path) -> Path | None:
        try:
            return path.resolve()
        except (OSError, RuntimeError, ValueError):
            return None

    def document(
        self, path: Path, named_at: Place | None = None, *, walls: Path | None = None, project: str = ""
    ) -> Node | None:
        """`walls`: a project's people have named it, so it lies in what is theirs."""
        if not self._is_within(walls, path, named_at):
            return None
        if path not in self._read:
            self._read[path] = self._document(path, named_at)
            self.owners[str(path)] = project
        return self._read[path]

    def texts(self, declared: Mapping[str, Node], walls: Path | None = None) -> dict[str, Node]:
        """Declarations of variables, with what stands in the files that they name as their defaults."""
        return {name: self._with_text(node, walls) for name, node in declared.items()}

    def _with_text(self, node: Node, walls: Path | None) -> Node:
        file = node.child("file")
        if not isinstance(node, document.Mapping) or not isinstance(file, Scalar) or not file.text:
            return node
        if "default" in node.entries or "generate" in node.entries:
            return node  # whoever reads the declaration tells of it
        path = Path(normpath(Path(file.file).parent / file.text))
        data = self._bytes(path, file.place, LONGEST) if self._is_within(walls, path, file.place) else b""
        try:
            text = (data or b"").decode()
        except UnicodeDecodeError:
            self._cannot(path, file.place, "It is not UTF-8 text")
            text = ""
        made = node.without({"file"})
        made.entries["default"] = Literal(str(path), 1, 1, text)
        return made

    def _is_within(self, walls: Path | None, path: Path, named_at: Place | None) -> bool:
        if walls is None:
            return True
        real = self._real(path)
        if real is not None and real.is_relative_to(walls.resolve()):
            return True
        self._refuse(OUTSIDE, named_at, f"{path} is not below {walls}, and is not read. Copy it into there.")
        return False

    def _refuse(self, code: Code, named_at: Place | None, text: str) -> None:
        self.whole = False
        self.found.append(code.at(named_at, text))

    def _document(self, path: Path, named_at: Place | None) -> Node | None:
        data = self._bytes(path, named_at, LARGEST)
        if data is None:
            return None
        from stead.language.document.parser import read

        node, found = (read if self._parsed is None else self._parsed.read)(data, str(path))
        self.found += found
        self.whole = self.whole and (node is not None or not found)
        return node

    def _bytes(self, path: Path, named_at: Place | None, most: int) -> bytes | None:
        too_much = f"It has more than {most >> 20} MiB"
        why = ""
        try:
            if named_at is not None and not path.resolve().is_relative_to(self.root.resolve()):
                text = f"{path} leads outside and is not read. Copy it to a place beside the spec."
                self._refuse(OUTSIDE, named_at, text)
                return None
            if named_at is not None and path.exists() and not path.is_file():
                why = "It is no file"  # nor is a device: it might never end
            elif path.is_file() and path.stat().st_size > most:
                why = too_much
            else:
                with path.open("rb") as file:
                    data = file.read(-1 if path.is_file() else most + 1)
                why = "" if len(data) <= most else too_much  # a device has no size, and no end
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", "") or str(error)
        if why:
            self._cannot(path, named_at, why)
            return None
        return data

    def _cannot(self, path: Path, named_at: Place | None, why: str) -> None:
        self._refuse(NO_FILE, named_at, f"{path}: {why}. Check the name, and that you may read it.")
