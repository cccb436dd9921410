## The awk program of the dispatcher: it reads one configuration, the store's listing,
## and nothing believed that is not certain.
##
## It checks the whole grammar of the configuration (so that the places it
## finds are what every reader finds), repeated keys, keys in another case. It
## misses where it meets
##
## - a byte that is not printable ASCII, a backslash in a key, an escape that
##   could be half a character,
## - the word `seccomp_bpf_data` or `run.oci.seccomp` anywhere,
## - a folder or file of the store that others may write to, a stale
##   environment, no entry or more than one for exactly this section.
##
## The section itself, two thirds of a configuration, is compared with the
## entry, whose section is known as one valid object, and need not be read
## again: the rest is read with `{}` in its place, and that has to turn out to
## be the value of `linux.seccomp`.
##
## Input: the configuration. `ST_LISTING` of the environment: lines of stat(1)
## in the form `%a %u %h %s %Y %F|%n`. Output: a verdict and, unless it is about
## a bundle, after the line break a configuration:
##
## ```text
## none         no section: the configuration as it came
## hit NAME     rewritten by that entry; for a bundle also printed: hit MODE NAME
## miss LENGTH  for Deno: the configuration as it came
## bad          it was not read to its end, so nothing is printed
## ```
##
## A dot is the last character of every answer but `bad`, so that a shell keeps
## the line ends before it and sees that the answer is whole.
##
## Runs alike in mawk 1.3.4, gawk 5 and busybox awk: no printf of long texts
## (old mawks have a buffer of 8 KiB), no regular expression intervals, no
## functions of gawk. The record separator `^$` matches nowhere, so there is one
## record, the whole input (gawk documents it; `keepsNul` in tools.ts tries
## it). Where awk takes a NUL for the end of a text, the caller turns NUL into
## byte 1 and seals the input by a byte 2 after its end.
## `LC_ALL=C` is set by the caller.
##
## Variables: `store`, `environment` (such as `environment.crun.host`), `owners`
## (ids with blanks around), `folders` (paths with `:` between), `bundle` (1 when `.`
## and `config.json` were listed), `sealed` (1 when a byte 2 marks the end).
##
## There is no single quote in it, so `sh` can quote it by those. Lines that begin with
## "##" are left out when `deno task embed` writes it into dispatcher_code.ts.
# Ends the answer with a mark, so that a shell keeps what stands before it.
function finish() {
  ORS = ""
  print "."
  exit 0
}
function miss() {
  print "miss " length(config)
  ORS = ""
  if (!bundle) print config
  finish()
}
function scalar() {
  if (depth == 0) miss()
  if (depth == 1 && (key[1] == "linux" || key[1] == "annotations")) miss()
  if (depth == 2 && key[1] == "linux" && key[2] == "seccomp") miss()
  if (depth == 2 && key[1] == "annotations" && !quoted) miss()
  if (state != "V" && state != "A") miss()
  state = "E"
}
function string(s,    t) {
  if (s ~ /[^ -~]/) miss()
  if (state == "K" || state == "k") {
    if (index(s, "\\")) miss()
    if ((id[depth], s) in seen) miss()
    seen[id[depth], s] = 1
    key[depth] = s
    t = tolower(s)
    if (depth == 1 && t != s && (t == "linux" || t == "annotations")) miss()
    if (depth == 2 && key[1] == "linux" && t != s && t == "seccomp") miss()
    state = "C"
    return
  }
  if (index(s, "\\")) {
    if (s ~ /\\u[dD][89abcdefABCDEF]/ || s ~ /\\u0000/) miss()
    t = s
    gsub(/\\["\\\/bfnrt]/, "_", t)
    gsub(/\\u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F]/, "_", t)
    if (index(t, "\\")) miss()
  }
  quoted = 1; scalar(); quoted = 0
}
function open(c, where) {
  if (state != "V" && state != "A") miss()
  if (depth == 0 && c != "{") miss()
  if (depth == 1 && c != "{" && (key[1] == "linux" || key[1] == "annotations")) miss()
  if (depth == 2 && key[1] == "annotations") miss()
  if (depth == 2 && key[1] == "linux" && key[2] == "seccomp") {
    if (c != "{") miss()
    first = where
  }
  depth++
  if (depth > 100) miss()
  type[depth] = c; id[depth] = ++ids
  state = c == "{" ? "K" : "A"
  if (depth == 1) top = where
  if (depth == 2 && key[1] == "annotations") notes = where
}
function close_(c) {
  if (depth == 0 || type[depth] != (c == "}" ? "{" : "[")) miss()
  if (state != "E" && state != (c == "}" ? "K" : "A")) miss()
  if (depth == 2 && key[1] == "annotations") empty = state == "K"
  depth--
  state = depth == 0 ? "D" : "E"
}
function outside(p, where,    j, n, c, rest) {
  if (p == ":" && state == "C") { state = "V"; return }
  if (p == "," && state == "E") { state = type[depth] == "{" ? "k" : "V"; return }
  n = length(p)
  for (j = 1; j <= n; j++) {
    c = substr(p, j, 1)
    if (c == " " || c == "\n" || c == "\t" || c == "\r") continue
    if (c == "{" || c == "[") open(c, where + j - 1)
    else if (c == "}" || c == "]") close_(c)
    else if (c == ":") { if (state != "C") miss(); state = "V" }
    else if (c == ",") {
      if (state != "E" || depth == 0) miss()
      state = type[depth] == "{" ? "k" : "V"
    } else {
      rest = substr(p, j)
      if (!match(rest, /^[-+.0-9a-zA-Z]+/)) miss()
      rest = substr(rest, 1, RLENGTH)
      if (rest != "true" && rest != "false" && rest != "null" &&
          rest !~ /^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?$/) miss()
      scalar()
      j += length(rest) - 1
    }
  }
}
function parse(    n, i, s, where) {
  n = split(doc, part, "\"")
  state = "V"
  outside(part[1], 1)
  where = length(part[1]) + 2
  for (i = 2; i <= n; i++) {
    s = part[i]
    while (match(s, /\\+$/) && RLENGTH % 2 == 1) {
      if (++i > n) miss()
      s = s "\"" part[i]
    }
    if (i >= n) miss()
    string(s)
    where += length(s) + 1
    i++
    outside(part[i], where)
    where += length(part[i]) + 1
  }
  if (state != "D") miss()
}
# What stat told of a path: whether nobody else can change it.
function sound(path, kind, sticky,    w) {
  if (!(path in meta)) return 0
  split(meta[path], w, " ")
  if (type_[path] != kind) return 0
  if (index(owners, " " w[2] " ") == 0) return 0
  if (sticky && w[1] ~ /^1...$/) return 1
  return w[1] ~ /[0145][0145]$/ && w[1] ~ /^[0-7][0-7][0-7]+$/
}
function identity(path,    w) {
  split(meta[path], w, " ")
  return w[4] " " w[5]
}
function listed(    n, i, line, bar, w) {
  n = split(ENVIRON["ST_LISTING"], line, "\n")
  for (i = 1; i <= n; i++) {
    bar = index(line[i], "|")
    if (bar == 0) continue
    split(substr(line[i], 1, bar - 1), w, " ")
    if ((substr(line[i], bar + 1)) in meta) miss()
    meta[substr(line[i], bar + 1)] = w[1] " " w[2] " " w[3] " " w[4] " " w[5]
    type_[substr(line[i], bar + 1)] = w[6] w[7]
  }
  n = split(folders, w, ":")
  for (i = 1; i <= n; i++) if (!sound(w[i], "directory", i < n)) miss()
  if (bundle && !(sound(".", "directory", 0) && sound("config.json", "regularfile", 0))) miss()
}
function current(    path, l, w, ok) {
  ok = 0
  path = store "/" environment
  if (!sound(path, "regularfile", 0)) miss()
  if ((getline l < path) <= 0 || l != "seccomp-tree environment 1") miss()
  if ((getline l < path) <= 0 || l !~ /^id [0-9a-f]+$/) miss()
  env = substr(l, 4)
  while ((getline l < path) > 0) {
    if (l == "end") { ok = 1; break }
    if (split(l, w, " ") != 4 || w[1] != "file") miss()
    if (!(w[2] in meta) || identity(w[2]) != w[3] " " w[4]) miss()
  }
  close(path)
  if (!ok) miss()
}
# Reads an entry; its filter where its section is this one.
function entry(path, size,    l, filter, body, begun) {
  filter = body = ""
  begun = 0
  if ((getline l < path) <= 0 || l != "seccomp-tree entry 1") miss()
  while ((getline l < path) > 0 && l !~ /^section /) {
    if (l ~ /^filter /) filter = substr(l, 8)
  }
  if (l != "section " size) miss()
  # One line late, because the last one is the end mark.
  while ((getline l < path) > 0) {
    if (begun == 2) body = body "\n" previous
    else if (begun == 1) { body = previous; begun = 2 }
    else begun = 1
    previous = l
  }
  close(path)
  if (begun != 2 || previous != "end") miss()
  if (body != section) return ""
  if (length(filter) % 4 || filter !~ /^[A-Za-z0-9+\/]+=?=?$/) miss()
  return filter
}
# Finds the one entry whose section follows the first "seccomp" key.
function find(    from, size, path, w, found) {
  if (!match(doc, /"seccomp"[ \t\n\r]*:[ \t\n\r]*[{]/)) return
  from = RSTART + RLENGTH - 1
  for (path in meta) {
    if (index(path, store "/") != 1) continue
    if (split(substr(path, length(store) + 2), w, ".") != 4 || w[2] != env) continue
    size = w[1] + 0
    if (substr(doc, from + size - 1, 1) != "}") continue
    if (!sound(path, "regularfile", 0)) miss()
    section = substr(doc, from, size)
    found = entry(path, size)
    if (found == "") continue
    if (value != "") miss()
    value = found
    length_ = size
    name = substr(path, length(store) + 2)
  }
  if (value == "") miss()
  # The section is a whole object, known as valid: a shorter one stands for it.
  doc = substr(doc, 1, from) substr(doc, from + length_ - 1)
  place = from
}
BEGIN {
  RS = "^$"
  config = value = previous = ""
  depth = ids = quoted = empty = first = place = notes = top = length_ = 0
}
NR == 1 { config = $0; RS = "\n" }
END {
  if (NR > 1) { print "bad"; exit 0 }
  if (sealed) {
    if (config !~ /\002$/) { print "bad"; exit 0 }
    config = substr(config, 1, length(config) - 1)
  }
  doc = config
  if (NR != 1 || doc ~ /[^\t\n\r -~]/) miss()
  if (index(doc, "seccomp_bpf_data") || index(doc, "run.oci.seccomp")) miss()
  if (index(doc, "\"seccomp\"")) {
    listed()
    current()
    find()
  }
  parse()
  if (first != place) miss()
  if (!first) {
    print "none"
    ORS = ""
    if (!bundle) print config
    finish()
  }
  member = "\"run.oci.seccomp_bpf_data\":\"" value "\""
  if (notes) { at = notes; if (!empty) member = member "," }
  else { at = top; member = "\"annotations\":{" member "}," }
  # Places after the section are those of the shorter text.
  if (at > place) at += length_ - 2
  ORS = ""
  if (bundle) { split(meta["config.json"], f, " "); name = f[1] " " name }
  print "hit " name "\n"
  print substr(config, 1, at)
  print member
  print substr(config, at + 1)
  finish()
}
