"""Flattened device trees (Devicetree Specification 0.4, chapter 5): read, changed and written, also into broken ones."""
import struct

MAGIC = 0xd00dfeed
BEGIN, END_NODE, PROPERTY, NOTHING, END = 1, 2, 3, 4, 9


def cells(*values):
    """A property of 32-bit cells."""
    return struct.pack(f">{len(values)}I", *values)


def pairs(*values):
    """A property of 64-bit numbers, each in two cells."""
    return struct.pack(f">{len(values)}Q", *values)


def text(*strings):
    """A property of strings."""
    return b"".join(s.encode() + b"\0" for s in strings)


class Node:
    """A node: properties by name (bytes), children in their order."""

    def __init__(self, name, properties=None, children=None):
        self.name = name
        self.properties = dict(properties or {})
        self.children = list(children or [])

    def __getitem__(self, path):
        """The node at a path below this one; a unit address may be left out."""
        node = self
        for part in filter(None, path.split("/")):
            node = next((c for c in node.children if part in (c.name, c.name.split("@")[0])), None)
            if node is None:
                raise KeyError(path)
        return node

    def __contains__(self, path):
        try:
            return bool(self[path])
        except KeyError:
            return False

    def __bool__(self):
        return True

    def add(self, name, **properties):
        """A new child; in property names _ stands for -."""
        child = Node(name, {k.replace("_", "-"): v for k, v in properties.items()})
        self.children.append(child)
        return child

    def remove(self, path):
        """Takes the node at the path out of its parent."""
        parent = self[path.rpartition("/")[0]]
        parent.children.remove(self[path])

    def walk(self):
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def flatten(root, reservations=()):
    """The tree as a blob of version 17."""
    strings, offsets = b"", {}

    def block(node):
        nonlocal strings
        out = struct.pack(">I", BEGIN) + pad(node.name.encode() + b"\0")
        for name, value in node.properties.items():
            if name not in offsets:
                offsets[name] = len(strings)
                strings += name.encode() + b"\0"
            out += struct.pack(">III", PROPERTY, len(value), offsets[name]) + pad(value)
        return out + b"".join(block(c) for c in node.children) + struct.pack(">I", END_NODE)

    structure = block(root) + struct.pack(">I", END)
    reserved = b"".join(struct.pack(">QQ", *r) for r in (*reservations, (0, 0)))
    at = 40 + len(reserved)
    size = at + len(structure) + len(strings)
    return struct.pack(">10I", MAGIC, size, at, at + len(structure), 40, 17, 16, 0, len(strings), len(structure)) + \
        reserved + structure + strings


def parse(blob):
    """The root of a blob, and its reservations."""
    magic, size, at, strings, reserved = struct.unpack(">5I", blob[:20])
    if magic != MAGIC or size > len(blob):
        raise ValueError("not a device tree")
    reservations = []
    while (entry := struct.unpack(">QQ", blob[reserved:reserved + 16])) != (0, 0):
        reservations.append(entry)
        reserved += 16
    stack = [Node("")]
    while (tag := struct.unpack(">I", blob[at:at + 4])[0]) != END:
        at += 4
        if tag == BEGIN:
            end = blob.index(b"\0", at)
            node = Node(blob[at:end].decode())
            stack[-1].children.append(node)
            stack.append(node)
            at += (end - at + 4) & ~3
        elif tag == END_NODE:
            stack.pop()
        elif tag == PROPERTY:
            length, name = struct.unpack(">II", blob[at:at + 8])
            name = blob[strings + name:blob.index(b"\0", strings + name)].decode()
            stack[-1].properties[name] = blob[at + 8:at + 8 + length]
            at += 8 + (length + 3 & ~3)
    return stack[0].children[0], reservations


def pad(data):
    """Filled up to whole cells."""
    return data + bytes(-len(data) % 4)
