"""Ways to damage a document at random."""

import re
from collections.abc import Sequence
from random import Random

NUMBER = re.compile(rb"[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
# Replacements for a number.
VALUES = (
    b"", b" ", b"0", b"-0", b"-1", b"1", b"1.5", b"25", b"301", b"1000000000",
    b"2147483648", b"9223372036854775808", b"9" * 5000, b"1e38", b"1e39",
    b"1e308", b"1e999", b"-1e999", b"1e-999", b"nan", b"NaN", b"inf",
    b"-Infinity", b"0x10", b"1_0", b"1,5", b"\xd9\xa3", b"\xc2\xb2", b"abc",
    b"null", b"true", b'"1"', b"[]", b"{}", b"[[1]]", b"1 1", b"1\n1",
)  # fmt: skip
# Insertions at any position.
FRAGMENTS = (
    b"\n", b"\r", b"\r\n\r\n", b" " * 1000, b"\n" * 1000, b",", b",,", b'"',
    b"\\", b"#", b"[", b"]", b"{", b"}", b"[" * 20_000, b'{"a":' * 20_000,
    b"[" * 300 + b"]" * 300, b"\x00", b"\x1a", b"\xff", b"\xef\xbb\xbf",
    b"\xed\xa0\x80", "\u2028".encode(), b"\x85", b"1" * 20_000, b"1 " * 5000,
    b"0\n" * 5000,
)  # fmt: skip


def span(random: Random, content: bytes) -> list[int]:
    return sorted(random.randrange(len(content) + 1) for _ in range(2))


def cut(random: Random, content: bytes, other: bytes) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def flip(random: Random, content: bytes, other: bytes) -> bytes:
    spoiled = bytearray(content)
    for _ in range(random.randint(1, 8)):
        if spoiled:
            spoiled[random.randrange(len(spoiled))] ^= 1 << random.randrange(8)
    return bytes(spoiled)


def leave_out(random: Random, content: bytes, other: bytes) -> bytes:
    first, last = span(random, content)
    return content[:first] + content[last:]


def repeat(random: Random, content: bytes, other: bytes) -> bytes:
    first, last = span(random, content)
    times = random.choice((1, 1, 2, 20))
    return content[:last] + content[first:last] * times + content[last:]


def splice(random: Random, content: bytes, other: bytes) -> bytes:
    first, last = span(random, other)
    place = random.randrange(len(content) + 1)
    return content[:place] + other[first:last] + content[place:]


def overwrite(random: Random, content: bytes, other: bytes) -> bytes:
    """An extreme integer of one to eight bytes, in binary."""
    size = random.choice((1, 2, 4, 8))
    place = random.randrange(len(content) + 1)
    top = 1 << (8 * size - 1)
    value = random.choice((0, 1, top - 1, top, 2 * top - 1))
    number = value.to_bytes(size, "little")
    return content[:place] + number + content[place + size :]


def insert(random: Random, content: bytes, other: bytes) -> bytes:
    place = random.randrange(len(content) + 1)
    return content[:place] + random.choice(FRAGMENTS) + content[place:]


def change_number(random: Random, content: bytes, other: bytes) -> bytes:
    found = list(NUMBER.finditer(content))
    # The first ones are the counts.
    few = found[: random.choice((4, len(found)))]
    if not few:
        return content
    first, last = random.choice(few).span()
    return content[:first] + random.choice(VALUES) + content[last:]


def change_lines(random: Random, content: bytes, other: bytes) -> bytes:
    """Removes, repeats or moves a line or a comma-separated cell."""
    mark = random.choice((b"\n", b","))
    lines = content.split(mark)
    line = lines.pop(random.randrange(len(lines)))
    for _ in range(random.choice((0, 1, 2, 50))):
        lines.insert(random.randrange(len(lines) + 1), line)
    return mark.join(lines)


def shuffle_lines(random: Random, content: bytes, other: bytes) -> bytes:
    lines = content.split(b"\n")
    random.shuffle(lines)
    return b"\n".join(lines)


def recode(random: Random, content: bytes, other: bytes) -> bytes:
    code = random.choice(("utf-16", "utf-32-be", "utf-8-sig", "utf-7"))
    return content.decode("latin1").encode(code)


BINARY = (cut, flip, flip, leave_out, repeat, splice, overwrite)
TEXT = (*BINARY, insert, change_number, change_number, change_number,
        change_lines, change_lines, shuffle_lines, recode)  # fmt: skip


def mutated(random: Random, seeds: Sequence[bytes], binary: bool) -> bytes:
    """One of the documents, after one to four mutations."""
    content = random.choice(seeds)
    for _ in range(random.choice((1, 1, 2, 4))):
        mutate = random.choice(BINARY if binary else TEXT)
        content = mutate(random, content, random.choice(seeds))
    return content
