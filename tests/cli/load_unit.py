"""Loads the filters of a drop-in by systemd's own library, as systemd does.

Usage: load_unit.py LIBRARY FILE. Prints its process, and waits for the end of
standard input.
"""

import ctypes
import os
import re
import sys

ALLOW, LOG, KILL_PROCESS, ERRNO = 0x7FFF0000, 0x7FFC0000, 0x80000000, 0x50000
KILL = 2147483646  # SECCOMP_ERROR_NUMBER_KILL
INVERT, ALLOW_LIST, PERMISSIVE = 1, 2, 8

library = ctypes.CDLL(sys.argv[1])
pointer, word = ctypes.c_void_p, ctypes.c_uint32
library._hashmap_new.restype = pointer
library._set_new.restype = pointer
operations = ctypes.addressof(
    ctypes.c_char.in_dll(library, "trivial_hash_ops")
)


def errno_of(text):
    return KILL if text == "kill" else library.parse_errno(text.encode())


def parse(name, errno, names, flags):
    assert library.seccomp_parse_syscall_filter(
        name.encode(), errno, pointer(names), flags, None, None, 0
    ) >= 0


lists = {"SystemCallFilter": None, "SystemCallLog": None}
permits = {}
errno, architectures = KILL, None
for line in open(sys.argv[2]):
    found = re.match(r"\s*(SystemCall\w+)\s*=\s*(.*?)\s*$", line)
    if found is None:
        continue
    key, value = found.groups()
    if key in lists:
        if value == "":
            lists[key] = None
            continue
        inverted = value.startswith("~")
        if lists[key] is None:
            lists[key] = library._hashmap_new(pointer(operations))
            permits[key] = not inverted
            if key == "SystemCallFilter" and not inverted:
                parse("@default", -1, lists[key], ALLOW_LIST | PERMISSIVE)
        flags = PERMISSIVE | (INVERT if inverted else 0)
        flags |= ALLOW_LIST if permits[key] else 0
        for item in value.lstrip("~").split():
            name, _, error = item.partition(":")
            parse(name, errno_of(error) if error else -1, lists[key], flags)
    elif key == "SystemCallErrorNumber":
        errno = errno_of(value) if value else KILL
    elif key == "SystemCallArchitectures":
        if value == "":
            architectures = None
            continue
        if architectures is None:
            architectures = library._set_new(pointer(operations))
        for item in value.split():
            token = word()
            assert library.seccomp_arch_from_string(
                item.encode(), ctypes.byref(token)
            ) == 0
            library.set_put(pointer(architectures), pointer(token.value + 1))


def load(names, default, action):
    assert library.seccomp_load_syscall_filter_set_raw(
        word(default), pointer(names), word(action), False
    ) >= 0


if architectures is not None:
    assert library.seccomp_restrict_archs(pointer(architectures)) >= 0
logged = lists["SystemCallLog"]
if logged is not None:
    load(logged, *((ALLOW, LOG) if permits["SystemCallLog"] else (LOG, ALLOW)))
listed = lists["SystemCallFilter"]
denial = KILL_PROCESS if errno == KILL else ERRNO | errno
if listed is not None:
    if permits["SystemCallFilter"]:
        load(listed, denial, ALLOW)
    else:
        load(listed, ALLOW, denial)
os.write(1, b"%d\n" % os.getpid())
os.read(0, 1)
