"""Contents for uploads: the smallest things that are what they say."""
import struct


def arm64_image(size=4096, fill=b"\0"):
    """An arm64 Image by its header (Documentation/arch/arm64/booting.rst): branch, text_offset 0, image_size, magic at 56."""
    header = struct.pack("<IIQQQQQQII", 0x14000010, 0, 0, size, 0xA, 0, 0, 0, 0x644D5241, 0)
    return header + fill * (size - len(header))


def definition(name, kernel, **fields):
    """A small domain definition."""
    return {"name": name, "memory_mib": 64, "boot": {"kernel": kernel}, **fields}
