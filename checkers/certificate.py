#!/usr/bin/env python3
"""Checks certificates about seccomp filters, as docs/certificate.md defines them.

    certificate.py CERTIFICATE [PROGRAM...]
    certificate.py -        lines of these arguments from standard input

PROGRAM is a file with `struct sock_filter[]`, for each side that is a program.
Prints "accepted" or "rejected: line N: REASON" for each certificate; exits with
0 if all were accepted, with 1 if not. Needs only Python's standard library.
"""
import hashlib
import re
import struct
import sys

ALL = 0xFFFFFFFF
NR, ARCH, FIRST_ARG = 0, 1, 4
LD_ABS, AND_K, JA, RET_K = 0x20, 0x54, 0x05, 0x06
JEQ_K, JGT_K, JGE_K, JSET_K = 0x15, 0x25, 0x35, 0x45
# A box: for each word, its views, a dict from mask to (low, high, holes).
EVERYTHING = tuple({} for _ in range(16))


class Rejected(Exception):
    pass


def require(condition, reason):
    if not condition:
        raise Rejected(reason)


def bounds(views, mask):
    """Returns low, high, holes, known bits, their values, contradiction."""
    known = bits = clash = 0
    for kept, (low, high, _) in views.items():
        free = (low ^ high).bit_length()
        fixed = kept >> free << free
        clash |= (bits ^ low) & known & fixed
        known |= fixed
        bits |= low & fixed
    least, most = bits & mask, bits & mask | mask & ~known
    for kept, (low, high, _) in views.items():
        if (kept ^ mask) & ~known == 0:
            shift = (bits & mask & ~kept) - (bits & kept & ~mask)
            least, most = max(least, low + shift), min(most, max(0, high + shift))
    return least, most, views.get(mask, (0, 0, ()))[2], known, bits, clash


def decide(box, word, mask, op, k):
    """Decides (word & mask) = k or >= k: True, False, or None if it is open."""
    low, high, holes, known, bits, clash = bounds(box[word], mask)
    if clash or k > high:
        return False
    if op == ">=":
        return True if k <= low else None
    if k < low or k in holes or k & ~mask or (k ^ bits) & known & mask:
        return False
    return True if low == high else None


def cut(box, word, mask, op, k, passes):
    """Returns the part of a box in which a test has a result."""
    low, high, holes = box[word].get(mask, (0, mask, ()))
    if passes:
        view = max(low, k), min(high, k) if op == "=" else high, holes
    else:
        view = (low, high, holes + (k,)) if op == "=" else (low, min(high, k - 1), holes)
    return box[:word] + ({**box[word], mask: view},) + box[word + 1 :]


def is_empty(box):
    for views in box:
        for mask in views:
            low, high, holes, _, _, clash = bounds(views, mask)
            if clash or low > high or low == high and low in holes:
                return True
    return False


def invert(a):
    return None if a is None else not a


def both(a, b):
    return False if a is False or b is False else True if a and b else None


def follow(program, box):
    """Returns the value of a program for all inputs of a box."""
    word, mask, pc = None, 0, 0
    while pc < len(program):
        code, jt, jf, k = program[pc]
        pc += 1
        if code == RET_K:
            return k
        if code == JA:
            pc += k
        elif code == LD_ABS and k % 4 == 0 and k < 64:
            word, mask = k // 4, ALL
        elif code == AND_K and word is not None:
            mask &= k
        else:
            tests = {JEQ_K: (mask, "=", k), JGT_K: (mask, ">=", k + 1),
                     JGE_K: (mask, ">=", k), JSET_K: (mask & k, "=", 0)}
            require(word is not None and code in tests, f"instruction {pc - 1} is not covered")
            passes = decide(box, word, *tests[code])
            require(passes is not None, f"instruction {pc - 1} is open")
            pc += jt if passes != (code == JSET_K) else jf
    raise Rejected("the program does not end in a return")


def holds(little, box, arg, op, mask, value):
    """Decides a condition on 64 bits by its halves."""
    above = FIRST_ARG + 2 * arg + little, mask >> 32
    below = FIRST_ARG + 2 * arg + 1 - little, mask & ALL
    same = decide(box, *above, "=", value >> 32)
    if op in ("eq", "ne"):
        result = both(same, decide(box, *below, "=", value & ALL))
        return result if op == "eq" else invert(result)
    more = decide(box, *above, ">=", (value >> 32) + 1)
    rest = both(same, decide(box, *below, ">=", (value & ALL) + (op in ("gt", "le"))))
    less = both(invert(more), invert(rest))
    return less if op in ("lt", "le") else invert(less)


def without(ranges, first, last):
    """Takes the numbers from first to last out of ranges."""
    pieces = [piece for start, end in ranges
              for piece in ((start, min(end, first - 1)), (max(start, last + 1), end))]
    return [(start, end) for start, end in pieces if start <= end]


def answers(little, policy, box, reason):
    """Returns the values that a policy may return in a box."""
    default, other, arches = policy
    here = {arch: decide(box, ARCH, ALL, "=", arch) for arch in arches}
    if reason == "other":
        require(all(result is False for result in here.values()), "the architecture is open")
        return {other}
    rules = next((arches[arch] for arch, result in here.items() if result), None)
    require(rules is not None, "the architecture is open")
    require(reason == "default" or reason < len(rules), "the rule does not exist")
    low, high, holes, _, _, _ = bounds(box[NR], ALL)
    numbers, values = [(low, high)] if low <= high else [], set()
    for hole in holes:
        numbers = without(numbers, hole, hole)
    for first, last, value, conditions in rules if reason == "default" else rules[: reason + 1]:
        if not any(max(start, first) <= min(end, last) for start, end in numbers):
            continue
        results = [holds(little, box, *condition) for condition in conditions]
        if False in results:
            continue
        values.add(value)
        if None not in results:
            numbers = without(numbers, first, last)
    require(reason == "default" or not numbers, "a number has no rule")
    return values | {default} if reason == "default" else values


def effect(value):
    """Returns the lowest value that the kernel treats like a value."""
    action = value & 0xFFFF0000
    if action in (0x00030000, 0x7FF00000):  # TRAP, TRACE
        return value
    if action == 0x00050000:  # ERRNO
        return action | min(value & 0xFFFF, 4095)
    # KILL_THREAD, USER_NOTIF, LOG, ALLOW; what is unknown kills the process.
    return action if action in (0, 0x7FC00000, 0x7FFC0000, 0x7FFF0000) else 0x80000000


def agree(claim, a, b):
    if claim == "equal":
        return effect(a) == effect(b)
    # The kernel compares actions as signed numbers; the lowest is the strictest.
    a, b = (effect(value) & 0xFFFF0000 ^ 0x80000000 for value in (a, b))
    return a <= b


U32, U64 = "(0|[1-9a-f][0-9a-f]{0,7})", "(0|[1-9a-f][0-9a-f]{0,15})"
CONDITION = f" ([0-5]) (eq|ne|lt|le|gt|ge) {U64} {U64}"
RULE = f"rule #(?:-#)? #((?:{re.sub('[(](?=[^)])', '(?:', CONDITION)})*)"


class Checker:
    """Reads and checks a certificate line by line."""

    def __init__(self, text, programs):
        self.lines, self.at, self.programs = text.split("\n"), 0, list(programs)

    def next(self):
        self.at += 1
        require(self.at <= len(self.lines), "the text ends")
        return self.lines[self.at - 1]

    def match(self, form, text=None):
        """Reads a text, in whose form # is a number; numbers are hexadecimal."""
        found = re.fullmatch(form.replace("#", U32), self.next() if text is None else text)
        require(found, f"expected {form}")
        return found.groups()

    def numbers(self, form, text=None):
        return [number and int(number, 16) for number in self.match(form, text)]

    def starts(self, key):
        return self.at < len(self.lines) and self.lines[self.at].startswith(key)

    def side(self, key):
        (words,) = self.match(f"{key} (policy|program [0-9a-f]+ [0-9a-f]{{64}})")
        if words == "policy":
            return self.policy()
        require(self.programs, "a program is missing")
        data = self.programs.pop(0)
        name = f"program {len(data) // 8:x} {hashlib.sha256(data).hexdigest()}"
        require(words == name and len(data) % 8 == 0, f"the program given is {name}")
        return list(struct.iter_unpack(("<" if self.little else ">") + "HBBI", data))

    def policy(self):
        default, other, arches = *self.numbers("default #"), *self.numbers("other #"), {}
        while self.starts("arch "):
            (arch,) = self.numbers("arch #")
            require(arch not in arches, "the architecture has rules already")
            arches[arch] = []
            while self.starts("rule "):
                first, last, value, rest = self.match(RULE)
                require(first != last, "a range of one number")
                found = re.findall(CONDITION, rest)
                conditions = [(int(a), op, int(m, 16), int(v, 16)) for a, op, m, v in found]
                numbers = (int(number, 16) for number in (first, last or first, value))
                arches[arch].append((*numbers, conditions))
        return default, other, arches

    def values(self, side, box, text):
        if isinstance(side, list):
            value = follow(side, box)
            require(text == f"{value:x}", f"the program returns {value:x}")
            return {value}
        if text not in ("default", "other"):
            (text,) = self.numbers("#", text)
        return answers(self.little, side, box, text)

    def check(self):
        self.match("seccomp-certificate 1")
        self.little = self.match("order (little|big)") == ("little",)
        a, b = self.side("a"), self.side("b")
        (claim,) = self.match("claim (equal|within)")
        require(not self.programs, "a program is not part of it")
        parts = [EVERYTHING]
        while (line := self.next()) != "end":
            require(parts, "all parts are shown already")
            box = parts.pop()
            if line.startswith("w"):
                word, mask, op, k = self.match("w([0-9a-f])(?:&#)? (>?=) #", line)
                require(op == "=" or k != "0", "one part has no inputs")
                test = int(word, 16), int(mask or "ffffffff", 16), op, int(k, 16)
                parts += [cut(box, *test, False), cut(box, *test, True)]
            elif line == "none":
                require(is_empty(box), "this part may have inputs")
            else:
                x, y = self.match(r"([^|]+) \| ([^|]+)", line)
                values, others = self.values(a, box, x), self.values(b, box, y)
                all_agree = all(agree(claim, v, w) for v in values for w in others)
                require(all_agree, "the answers do not agree")
        require(not parts, "a part is not shown")
        end = self.next() == "" and self.at == len(self.lines)
        require(end, "there is text after the end")


def report(certificate, *programs):
    checker = None
    try:
        with open(certificate, encoding="ascii", newline="") as file:
            checker = Checker(file.read(), [open(path, "rb").read() for path in programs])
        checker.check()
    except (Rejected, OSError, UnicodeError, struct.error) as error:
        print(f"rejected: {f'line {checker.at}: ' if checker else ''}{error}")
        return False
    print("accepted")
    return True


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1:] == ["-"]:
        sys.exit(not all([report(*line.split()) for line in sys.stdin if line.strip()]))
    sys.exit(not report(*sys.argv[1:]))
