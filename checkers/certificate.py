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
NR, ARCH, FIRST_WIDE, FIRST_ARG = 0, 1, 2, 4
LD_ABS, AND_K, JA, RET_K = 0x20, 0x54, 0x05, 0x06
JEQ_K, JGT_K, JGE_K, JSET_K = 0x15, 0x25, 0x35, 0x45
# What is known of a word: known bits, their values, low, high, holes.
ANY = 0, 0, 0, ALL, ()


class Rejected(Exception):
    pass


def require(condition, reason):
    if not condition:
        raise Rejected(reason)


def cut(facts, mask, op, k, passes):
    """Adds the result of a test to what is known of a word; None if it is another."""
    known, bits, low, high, holes = facts
    if op == ">=":
        if (bits | ALL & ~known) & mask < k if passes else bits & mask >= k:
            return None
        rest = bits & ~mask
        if ALL & ~mask & ~known == 0 and passes:
            low = max(low, k + rest)
        elif ALL & ~mask & ~known == 0:
            high = min(high, k + rest - 1)
    elif passes:
        if k & ~mask or (bits ^ k) & known & mask:
            return None
        known, bits = known | mask, bits | k
    elif k & ~mask == 0:
        holes += ((mask, k),)
    if low > high:
        return None
    # The values of an interval share the leading bits that its ends share.
    free = (low ^ high).bit_length()
    shared = ALL >> free << free
    if (bits ^ low) & known & shared:
        return None
    known, bits = known | shared, bits | low & shared
    for hole, value in holes:
        unknown = hole & ~known
        if (bits ^ value) & known & hole or unknown & (unknown - 1):
            continue
        if unknown == 0:
            return None
        # All other bits are those of the hole, so this one is not.
        known, bits = known | unknown, bits | ~value & unknown
    low, high = max(low, bits), min(high, bits | ALL & ~known)
    return (known, bits, low, high, holes) if low <= high else None


def decide(facts, mask, op, k):
    """Decides a test: True, False, or None if it is open."""
    if cut(facts, mask, op, k, True) is None:
        return False
    return True if cut(facts, mask, op, k, False) is None else None


def invert(a):
    return None if a is None else not a


def both(a, b):
    return False if a is False or b is False else True if a and b else None


def follow(little, program, box):
    """Returns the value of a program for all inputs of a box."""
    facts, mask, pc = None, 0, 0
    while pc < len(program):
        code, jt, jf, k = program[pc]
        pc += 1
        if code == RET_K:
            return k
        if code == JA:
            pc += k
        elif code == LD_ABS and k % 4 == 0 and k < 64:
            # In memory, the high half of 64 bits comes first on big-endian machines.
            swapped = not little and k // 4 >= FIRST_WIDE
            facts, mask = box[k // 4 ^ swapped], ALL
        elif code == AND_K and facts is not None:
            mask &= k
        else:
            tests = {JEQ_K: (mask, "=", k), JGT_K: (mask, ">=", k + 1),
                     JGE_K: (mask, ">=", k), JSET_K: (mask & k, "=", 0)}
            require(facts is not None and code in tests, f"instruction {pc - 1} is not covered")
            passes = decide(facts, *tests[code])
            require(passes is not None, f"instruction {pc - 1} is open")
            pc += jt if passes != (code == JSET_K) else jf
    raise Rejected("the program does not end in a return")


def holds(box, arg, op, mask, value):
    """Decides a condition on 64 bits by its halves."""
    below, above = box[FIRST_ARG + 2 * arg], box[FIRST_ARG + 2 * arg + 1]
    same = decide(above, mask >> 32, "=", value >> 32)
    if op in ("eq", "ne"):
        result = both(same, decide(below, mask & ALL, "=", value & ALL))
        return result if op == "eq" else invert(result)
    more = decide(above, mask >> 32, ">=", (value >> 32) + 1)
    rest = both(same, decide(below, mask & ALL, ">=", (value & ALL) + (op in ("gt", "le"))))
    less = both(invert(more), invert(rest))
    return less if op in ("lt", "le") else invert(less)


def matches(box, rule):
    """Decides whether a rule matches."""
    _, arch, first, last, _, conditions = rule
    _, _, low, high, _ = box[NR]
    if last < low or high < first:
        return False
    result = both(True if first <= low and high <= last else None,
                  decide(box[ARCH], ALL, "=", arch))
    for condition in conditions:
        result = both(result, holds(box, *condition))
    return result


def walk(box, rules, other):
    """Returns the values that a policy may return in a box, and the reason."""
    values = set()
    for rule in rules:
        result = matches(box, rule)
        if result is not False:
            values.add(rule[4])
        if result:
            return values, f"rule {rule[0]:x}"
    return values | {other}, "other"


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
    a, b = effect(a), effect(b)
    # The kernel compares actions as signed numbers; the lowest is the strictest.
    rank = 0x80000000
    return a == b if claim == "equal" else a & 0xFFFF0000 ^ rank <= b & 0xFFFF0000 ^ rank


U32, U64 = "(0|[1-9a-f][0-9a-f]{0,7})", "(0|[1-9a-f][0-9a-f]{0,15})"
CONDITION = f" ([0-5]) (eq|ne|lt|le|gt|ge) {U64} {U64}"
RULE = f"rule # # # #((?:{re.sub('[(](?=[^)])', '(?:', CONDITION)})*)"


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
        """Reads a side: a program, or rules and the answer without them."""
        (words,) = self.match(f"{key} (policy|program [0-9a-f]+ [0-9a-f]{{64}})")
        if words == "policy":
            return self.policy()
        require(self.programs, "a program is missing")
        data = self.programs.pop(0)
        name = f"program {len(data) // 8:x} {hashlib.sha256(data).hexdigest()}"
        require(words == name and len(data) % 8 == 0, f"the program given is {name}")
        return list(struct.iter_unpack(("<" if self.little else ">") + "HBBI", data)), None

    def policy(self):
        rules = []
        while self.starts("rule "):
            *words, rest = self.match(RULE)
            numbers = [int(word, 16) for word in words]
            conditions = [(int(arg), op, int(mask, 16), int(value, 16))
                          for arg, op, mask, value in re.findall(CONDITION, rest)]
            rules.append((len(rules), *numbers, conditions))
        return rules, self.numbers("other #")[0]

    def answers(self, side, box, rules):
        if side[1] is not None:
            return walk(box, rules, side[1])
        value = follow(self.little, side[0], box)
        return {value}, f"returns {value:x}"

    def check(self):
        order, claim = self.match("seccomp-certificate 2 (little|big) (equal|within)")
        self.little = order == "little"
        a, b = self.side("a"), self.side("b")
        require(not self.programs, "a program is not part of it")
        parts = [((ANY,) * 16, a[0] if a[1] is not None else [], b[0] if b[1] is not None else [])]
        while (line := self.next()) != "end":
            require(parts, "all parts are shown already")
            box, *lists = parts.pop()
            if line.startswith("w"):
                word, mask, op, k = self.match("w([0-9a-f])(?:&#)? (>?=) #", line)
                at = int(word, 16)
                for passes in False, True:
                    facts = cut(box[at], int(mask or "ffffffff", 16), op, int(k, 16), passes)
                    if facts is not None:
                        part = box[:at] + (facts,) + box[at + 1 :]
                        kept = ([rule for rule in rules if matches(part, rule) is not False]
                                for rules in lists)
                        parts.append((part, *kept))
            else:
                (values, why), (others, reason) = map(self.answers, (a, b), (box, box), lists)
                require(line == f"{why}, {reason}", f"the answers are {why}, {reason}")
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
