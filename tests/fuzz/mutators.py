"""Ways to damage a good file: its header, its bytes, its cells, its values, its members, its name.

All draw from the generator that they get, so that a kind, a seed and a number name an input.
"""

import io
import json
import struct
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Rng = np.random.Generator

# Numbers at the edges of 8, 16, 32 and 64 bits, and what is no count at all.
EDGES = (0, 1, 2, 3, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000)
EDGES += (0xFFFFFFFE, 0xFFFFFFFF, 1_000_000, 44_100, 192_000)
WORDS = ("", " ", "nan", "inf", "-inf", "-1", "0", "1e300", "-1e300", "1e-300", "1.5", "x", "null")
WORDS += ("true", "9" * 20, "9" * 400, "0x10", "½", "٣", "\x00", '"', "'", ",", "\n", "\r", "../..")
WORDS += ("/etc/passwd", "a" * 5000, "🎵", "\udcff", "$x$", "$", "{", "[", "1_000", "NaN", "None")
NUMBERS = ("0", "-1", "nan", "inf", "-inf", "1e300", "-1e300", "1e-300", "1e400", "1" + "0" * 20)
NUMBERS += (
    "2147483648",
    "9223372036854775808",
    "1.5",
    "",
    " ",
    "x",
    "0x10",
    "1_0",
    "٣",
    "1e9",
)
VALUES: tuple[Any, ...] = (None, True, False, 0, -1, 1.5, 1e300, 10**20, 10**400, "", "x", "9", [])
VALUES += ([[]], {}, {"a": 1}, [None], [1, "a"], "a" * 5000, "\x00", "🎵", "../..", float("nan"))
VALUES += (float("inf"), [float("nan")], ["a", "a"], "/etc/passwd", "$x$")


def pick(rng: Rng, things: Sequence[Any]) -> Any:
    """Draw one of some things (numpy would make an array of them)."""
    return things[int(rng.integers(len(things)))]


# --- bytes ---------------------------------------------------------------------------------------


def cut(data: bytes, rng: Rng, least: float = 0.0) -> bytes:
    """Keep the beginning; at least the share `least` is lost."""
    return data[: int(len(data) * (1 - rng.uniform(least, 1)))]


def overwrite(data: bytes, rng: Rng, share: float | None = None, begin: float = 0.0) -> bytes:
    """Put noise or zeros over a stretch that starts after the share `begin`."""
    length = int(len(data) * (share if share is not None else rng.uniform(0, 0.5))) + 1
    first = int(len(data) * begin)
    at = int(rng.integers(first, max(first + 1, len(data) - length)))
    new = bytes(length) if rng.random() < 0.5 else rng.bytes(length)
    return (data[:at] + new + data[at + length :])[: len(data)]


def flip(data: bytes, rng: Rng) -> bytes:
    """Turn over some bits anywhere."""
    damaged = bytearray(data)
    for _ in range(int(rng.integers(1, 30))):
        if damaged:
            damaged[int(rng.integers(len(damaged)))] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def insert(data: bytes, rng: Rng) -> bytes:
    """Put something in between."""
    at = int(rng.integers(len(data) + 1))
    return data[:at] + rng.bytes(int(rng.integers(1, 5000))) + data[at:]


def swap(data: bytes, rng: Rng) -> bytes:
    """Exchange two stretches."""
    a, b, c, d = sorted(int(place) for place in rng.integers(0, len(data) + 1, 4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def repeat(data: bytes, rng: Rng) -> bytes:
    """Say a stretch again."""
    a, b = sorted(int(place) for place in rng.integers(0, len(data) + 1, 2))
    return data[:b] + data[a:]


def nothing_like_it(data: bytes, rng: Rng) -> bytes:
    """Give something else of the same length: noise, zeros, text, nothing."""
    size = min(len(data), 20_000)
    return pick(rng, (b"", rng.bytes(size), bytes(size), b"no music " * 100, b"\n", b"{" * 500))


BYTES = (cut, overwrite, flip, insert, swap, repeat, nothing_like_it)


def any_bytes(data: bytes, rng: Rng) -> bytes:
    """Damage bytes in one of the ways."""
    return pick(rng, BYTES)(data, rng)


# --- headers -------------------------------------------------------------------------------------


def number_at(data: bytes, rng: Rng, places: Sequence[tuple[int, str]]) -> bytes:
    """Put an odd number at one of some places, each an offset and a format of `struct`."""
    at, form = pick(rng, places)
    size = struct.calcsize(form)
    if at < 0 or at + size > len(data):
        return flip(data, rng)
    value = pick(rng, EDGES) if rng.random() < 0.7 else int(rng.integers(1 << 32))
    value &= (1 << 8 * size) - 1
    return (
        data[:at] + value.to_bytes(size, "little" if form[0] == "<" else "big") + data[at + size :]
    )


def chunk_places(data: bytes, order: str) -> list[tuple[int, str]]:
    """Find the sizes and the fields of the chunks of a RIFF or FORM file."""
    places, at = [(4, f"{order}I")], 12
    while at + 8 <= len(data) and len(places) < 40:
        places.append((at + 4, f"{order}I"))
        (size,) = struct.unpack(f"{order}I", data[at + 4 : at + 8])
        if data[at : at + 4] != b"data":
            places += [(at + 8 + step, f"{order}H") for step in range(0, min(size, 40), 2)]
            places += [(at + 8 + step, f"{order}I") for step in range(0, min(size, 40), 4)]
        at += 8 + size + size % 2
    return places


def header(kind: str) -> Callable[[bytes, Rng], bytes]:
    """Make the mutator of a format's own header."""

    def mutate(data: bytes, rng: Rng) -> bytes:
        if kind in ("wav", "aiff"):
            return number_at(data, rng, chunk_places(data, "<" if kind == "wav" else ">"))
        if kind == "flac":  # STREAMINFO: sizes of blocks, rate and channels, length, MD5
            return number_at(data, rng, [(at, ">I") for at in range(4, 42)])
        if kind == "ogg":
            pages = [at for at in range(len(data)) if data[at : at + 4] == b"OggS"]
            page = pick(rng, pages)
            places = [(page + 4, "<B"), (page + 5, "<B"), (page + 6, "<I"), (page + 10, "<I")]
            places += [(page + 14, "<I"), (page + 18, "<I"), (page + 22, "<I"), (page + 26, "<B")]
            places += [(at, "<I") for at in range(39, 60)]  # the head of Vorbis
            return number_at(data, rng, places)
        if kind == "mp3":  # the first frames' heads, with the Xing or LAME tag
            return number_at(data, rng, [(at, ">I") for at in range(200)])
        if kind == "m4a":
            names = (
                b"moov",
                b"mvhd",
                b"stsz",
                b"stco",
                b"stts",
                b"mdhd",
                b"mp4a",
                b"esds",
                b"ftyp",
            )
            found = [place for name in names if (place := data.find(name)) > 0]
            at = pick(rng, found) + 4 * int(rng.integers(-1, 8))
            return number_at(data, rng, [(at, ">I")])
        if kind == "png":
            return png_header(data, rng)
        return npy_header(data, rng)

    return mutate


def png_header(data: bytes, rng: Rng) -> bytes:
    """Change size, depth or colour type, with the sum put right, so that decoders go on."""
    import zlib

    head = number_at(data[16:29], rng, [(0, ">I"), (4, ">I"), *((at, ">B") for at in range(8, 13))])
    if rng.random() < 0.2:
        return data[:16] + head + data[29:]
    return data[:16] + head + zlib.crc32(b"IHDR" + head).to_bytes(4, "big") + data[33:]


DTYPES = ("|u1", "|i1", "|b1", "<f2", "<f4", ">f4", "<f8", "<f16", "<c8", "<i8", "<u8", "|O", "|S5")
DTYPES += ("<U3", "<M8[s]", "<m8", "|V10", "x", "", "<f3", "[('a', '<f4')]")
SHAPES = (
    "(631, 40)",
    "(40, 631)",
    "(631,)",
    "()",
    "(0, 40)",
    "(631, 0)",
    "(1, 631, 40)",
    "(631, 1)",
)
SHAPES += (
    "(2, 631, 20)",
    "(99999999, 99999999)",
    "(-1, 40)",
    "(631, 40.5)",
    "(1,)*40",
    "(1,1,631,40)",
)
SHAPES += (
    "(631, 99999999999999999999)",
    "None",
    "(True, 5)",
    "(631, 2)",
    "(4294967296, 4294967296)",
)


def npy_header(data: bytes, rng: Rng) -> bytes:
    """Say another type, shape or order in the header of a NumPy file."""
    body = data[10 + int.from_bytes(data[8:10], "little") :]
    descr, shape = "'|u1'" if rng.random() < 0.4 else "'<f4'", "(631, 40)"
    order = pick(rng, ("False", "True", "False", "None", "7"))
    way = rng.random()
    if way < 0.5:
        dtype = pick(rng, DTYPES)
        descr = dtype if dtype.startswith("[") else repr(dtype)
    if way > 0.4:
        shape = pick(rng, SHAPES)
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"
    if rng.random() < 0.1:
        text = pick(rng, ("{}", "[" * 5000, "x", "", "{'descr': '|u1'}", "(" * 300 + ")" * 300))
    padded = text.encode() + b" " * (-(len(text) + 11) % 64) + b"\n"
    version = pick(rng, (b"\x01\x00",) * 8 + (b"\x02\x00", b"\x03\x00", b"\x09\x09"))
    return b"\x93NUMPY" + version + len(padded).to_bytes(2, "little") + padded + body


def odd_array(rng: Rng) -> bytes:
    """Make a whole NumPy file of an odd type, shape or content."""
    dtype = pick(
        rng, ("u1", "i1", "?", "f2", "f4", "f8", "c8", "i8", "S3", "U2", "M8[s]", "longdouble")
    )
    shape = pick(
        rng, ((631, 40), (631, 40), (631, 3), (631, 1), (0, 5), (631, 0), (5,), (), (40, 631))
    )
    array = (rng.random(shape) * pick(rng, (1, 200, 1e12, 1e-30))).astype("f8")
    with np.errstate(all="ignore"):
        array = np.asarray(array).astype(dtype)
    if array.dtype.kind == "f" and array.size and rng.random() < 0.4:
        array.flat[int(rng.integers(array.size))] = pick(rng, (np.nan, np.inf, -np.inf, -1.0))
    if rng.random() < 0.2:
        array = np.asfortranarray(array)
    buffer = io.BytesIO()
    if rng.random() < 0.15:
        np.savez(buffer, array)
    else:
        np.save(buffer, array)
    return buffer.getvalue()


def odd_picture(rng: Rng) -> bytes:
    """Make a whole picture of an odd mode, size or format; it may still be named .png."""
    import PIL.Image

    mode = pick(rng, ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "I;16", "F", "YCbCr", "PA"))
    size = pick(rng, ((40, 631), (40, 631), (631, 631), (1, 1), (631, 2), (2, 631), (3, 5)))
    made = PIL.Image.new("F" if mode == "F" else mode, size)
    if mode in ("L", "RGB", "I;16", "I", "F"):
        pixels = rng.random((size[1], size[0]))
        if mode == "F":
            made = PIL.Image.fromarray((pixels * pick(rng, (1, 300, np.nan))).astype("f4"))
        elif mode in ("I", "I;16"):
            made = PIL.Image.fromarray((pixels * 65535).astype("u2" if mode != "I" else "i4"))
    kind = pick(
        rng, ("PNG", "PNG", "TIFF", "JPEG", "BMP", "GIF", "PPM", "WEBP", "TGA", "ICO", "EPS")
    )
    buffer = io.BytesIO()
    try:
        made.save(buffer, format=kind)
    except (OSError, ValueError, KeyError):
        made = made.convert("L") if mode != "F" else PIL.Image.new("L", size)
        made.save(buffer, format="PNG")
    return buffer.getvalue()


# --- text ----------------------------------------------------------------------------------------


def table(text: str, rng: Rng) -> bytes:
    """Change cells, names and lines of a CSV table, or its bytes."""
    rows = [line.split(",") for line in text.splitlines()]
    for _ in range(int(rng.integers(1, 3))):
        row = int(rng.integers(len(rows)))
        column = int(rng.integers(len(rows[row])))
        way = int(rng.integers(8))
        if way < 4:
            rows[row][column] = pick(rng, WORDS)
        elif way == 4:
            del rows[row][column]
            rows[row] = rows[row] or [""]
        elif way == 5:
            rows[row].insert(column, pick(rng, WORDS))
        elif way == 6:
            rows.insert(row, list(rows[row]))
        else:
            del rows[row]
            rows = rows or [[""]]
    written = "\n".join(",".join(row) for row in rows) + "\n"
    return maybe_bytes(written.encode("utf-8", "surrogateescape"), rng)


def maybe_bytes(data: bytes, rng: Rng) -> bytes:
    """Damage bytes of a text in one case of six, or write it in another encoding."""
    way = rng.random()
    if way < 0.12:
        return any_bytes(data, rng)
    if way < 0.17:
        return data.decode("utf-8", "replace").encode(pick(rng, ("utf-16", "utf-8-sig", "utf-32")))
    return data


def values(content: Any, rng: Rng) -> Any:
    """Change, drop or add a value somewhere in what JSON can hold."""
    if isinstance(content, dict) and content and rng.random() < 0.85:
        name = pick(rng, list(content))
        way = rng.random()
        if way < 0.15:
            return {key: value for key, value in content.items() if key != name}
        if way < 0.2:
            return content | {pick(rng, ("x", "", "version", "a" * 300)): pick(rng, VALUES)}
        return content | {name: values(content[name], rng)}
    if isinstance(content, list) and content and rng.random() < 0.6:
        place = int(rng.integers(len(content)))
        if rng.random() < 0.3:
            return content[:place] + content[place + 1 :]
        if rng.random() < 0.3:
            return [*content[:place], content[place], *content[place:]]
        return [*content[:place], values(content[place], rng), *content[place + 1 :]]
    return pick(rng, VALUES)


def json_text(data: bytes, rng: Rng) -> bytes:
    """Change values of a JSON file, or its bytes."""
    if rng.random() < 0.06:
        return pick(
            rng, (b"[" * 100_000, b'{"a":' * 50_000, b"[]", b"3", b"null", b'"x"', b"9" * 5000)
        )
    text = json.dumps(values(json.loads(data), rng), indent=1)
    return maybe_bytes(text.encode("utf-8", "surrogatepass"), rng)


def toml(text: str, rng: Rng) -> bytes:
    """Change values, names and lines of a TOML file."""
    lines = text.splitlines()
    odd = (
        "0",
        "-1",
        "nan",
        "inf",
        "1e300",
        "10" * 30,
        '""',
        '"x"',
        "true",
        "[]",
        "[[]]",
        "{}",
        "[nan]",
    )
    odd += (
        "1979-05-27",
        '"../.."',
        '["a", 1]',
        "[1, 1]",
        "{ a = 1 }",
        '"$x$"',
        '"\\u0000"',
        "[0.5]",
    )
    odd += (
        "99999999999999999999",
        "07:32:00",
        "[0, 1, 2.5]",
        "[-1]",
        '[""]',
        '"' + "a" * 400 + '"',
    )
    for _ in range(int(rng.integers(1, 3))):
        place = int(rng.integers(len(lines)))
        name, equals, _ = lines[place].partition("=")
        way = int(rng.integers(8))
        if equals and way < 5:
            lines[place] = f"{name}= {pick(rng, odd)}"
        elif way == 5:
            lines.insert(place, lines[int(rng.integers(len(lines)))])
        elif way == 6:
            del lines[place]
        else:
            lines[place] = pick(
                rng, ("[x]", "x = 1", "[[row]]", "[row]", "[[music]]", "[contrast]", "=")
            )
    return maybe_bytes("\n".join(lines).encode(), rng)


# --- archives ------------------------------------------------------------------------------------


def archive(data: bytes, rng: Rng) -> bytes:
    """Change, drop, add or blow up a member of a Keras file, or its bytes."""
    if rng.random() < 0.25:
        return any_bytes(data, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    name = pick(rng, list(members))
    way = rng.random()
    if way < 0.5 and "config.json" in members:
        members["config.json"] = json_text(members["config.json"], rng)
    elif way < 0.65:
        members[name] = any_bytes(members[name], rng)
    elif way < 0.75:
        del members[name]
    elif way < 0.85:
        members[pick(rng, ("../x", "/x", "a/" * 200 + "x", "assets/x.py", "x"))] = b"x"
    else:  # 300 MB of zeros pack into 300 kB
        members[pick(rng, (name, "x"))] = bytes(int(rng.integers(300)) << 20)
    return zipped(members)


def zipped(members: dict[str, bytes]) -> bytes:
    """Pack files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return buffer.getvalue()


# --- names ---------------------------------------------------------------------------------------

NAMES = (
    b"-i.wav",
    b"concat:x.wav",
    b"a\nb.wav",
    b"caf\xe9.wav",
    b"\xff\xfe.wav",
    "🎵 emoji.wav".encode(),
    b"x" * 250 + b".wav",
    b"--help.wav",
    b"$HOME $x$.wav",
    b"'quote\".wav",
    b"a\tb.wav",
    b"\x1b[31mred.wav",
    b" .wav",
    b"...wav",
    b"%s%d{}.wav",
    b"pipe:0",
    b"file:x",
    b"a.WAV",
    b"a.raw",
    b"a.vox",
    b"a.gsm",
    b"a.au",
    b"a.sd2",
    b"a.m3u8",
    b"a.txt",
    b"con.wav",
    b"a.wav.npy",
    b"a@5s.wav",
    b"tracks.csv.wav",
    "e\u0301.wav".encode(),
    "\u202egnp.wav".encode(),
    b"a,b.wav",
    b"=1+1.wav",
)
NEVER_THERE = (
    "a\x00b.wav",
    "x" * 300 + ".wav",
    "/" * 5000,
    "",
    "\udcff.wav",
    "🎵" * 80,
    "-",
    ".",
    "/",
)
