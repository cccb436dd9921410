## The awk program of the dispatcher: it reads one configuration, the entry of its
## section, and trusts only what is certain.
##
## It checks the whole grammar of the configuration (so that the places it
## finds are what every reader finds), repeated keys, keys in another case. It
## misses where it meets
##
## - a byte that is not printable ASCII, a backslash in a key, an escape that
##   could be half a character,
## - the word `seccomp_bpf_data` or `run.oci.seccomp` anywhere,
## - a folder or file of the store that others may write to, a stale
##   environment, no entry for exactly this section.
##
## The section itself, two thirds of a configuration, is compared with its
## entry, whose section is known as one valid object, and need not be read
## again: the rest is read with one byte in its place, and that has to turn out
## to be the value of `linux.seccomp`. Where the section ends is guessed by its
## braces: a wrong guess finds no entry.
##
## Every step takes time linear in the input, in each of the awks below: no text
## grows by appending to it for each quote, and a substitution looks at a window
## at a time, because busybox starts anew for each match in it.
##
## Input: the configuration. Exit status:
##
## ```text
## 0    the configuration is printed, as it came or with a filter; for a bundle:
##      it is left unchanged
## 10   for Deno; every reader reads it alike, and it has no annotation of a filter
## 11   for Deno
## 12   it was not read to its end, or could not be written
## 14   for this program with LONG: it is long
## 20   a bundle whose new configuration is in the file `ST_TEMP` and the name of the
##      entry, from the environment
## 21   a bundle that is left to its runtime, as the store says
## ```
##
## With 10, 11 and 14, unless it is about a bundle, standard error gets the length of the
## configuration, the name that its entry would have, a line break, the configuration,
## and a dot, so that a shell keeps the line ends before it.
##
## With 0 standard error has what a bundle needs not: the count that this container
## belongs to (`hit` or `left`, see counts.sh) and the entry.
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
## (ids with blanks around), `folders` (number of folders down to the store), `bundle` (1
## for a bundle, 2 for the name of its entry alone), `strict` (1 to leave no section to its runtime), `sealed` (1 when a byte 2
## marks the end). `ST_META` of the environment has what stat(1) reports of all files
## but the entry, which needs none: nobody else can enter the folder of the store.
##
## Awks take longer to read this program than a short configuration. What only a long one
## needs stands between "#@if LONG" and "#@else" or "#@end".
##
## There is no single quote in it, so `sh` can quote it by those. Lines that begin with
## "##" are omitted when `deno task embed` writes it into dispatcher_code.ts.
# Hands the configuration on, with the status that says what is known about it.
function leave(status) {
  ORS = ""
  if (!bundle) {
    print length(config) " " name "\n" config "." > "/dev/stderr"
    close("/dev/stderr")
  }
  exit status
}
function miss() { leave(11) }
# The length of the next window: busybox copies every text that a function gets.
function window(done, most, all) { return done + most > all ? all - done : most }
# A value that is neither an object nor an array.
function scalar(quoted) {
  if (state != "V" && state != "A" || depth == 0) miss()
  if (depth == 1 && (key[1] == "linux" || key[1] == "annotations")) miss()
  if (depth == 2 && key[1] == "linux" && key[2] == "seccomp") miss()
  if (depth == 2 && key[1] == "annotations" && !quoted) miss()
  state = "E"
}
function member(s,    t) {
  if (escaped && index(s, "\001")) miss()
  if ((id[depth], s) in seen) miss()
  seen[id[depth], s] = 1
  key[depth] = s
  state = "C"
  if (depth > 2) return
  t = tolower(s)
  if (t == s) return
  if (depth == 1 && (t == "linux" || t == "annotations")) miss()
  if (depth == 2 && key[1] == "linux" && t == "seccomp") miss()
}
function open(c) {
  if (state != "V" && state != "A") miss()
  if (depth == 0 && c != "{") miss()
  if (depth == 1 && c != "{" && (key[1] == "linux" || key[1] == "annotations")) miss()
  if (depth == 2 && key[1] == "annotations") miss()
  if (depth == 2 && key[1] == "linux" && key[2] == "seccomp") {
    if (c != "{") miss()
    confined = 1
  }
  depth++
  if (depth > 100) miss()
  type[depth] = c; id[depth] = ++ids
  state = c == "{" ? "K" : "A"
  if (depth == 2 && key[1] == "annotations") noted = 1
}
function close_(c) {
  if (depth == 0 || type[depth] != (c == "}" ? "{" : "[")) miss()
  if (state != "E" && state != (c == "}" ? "K" : "A")) miss()
  if (depth == 2 && key[1] == "annotations") empty = state == "K"
  depth--
  state = depth == 0 ? "D" : "E"
}
function signs(p,    j, n, c, rest) {
  n = length(p)
  for (j = 1; j <= n; j++) {
    c = substr(p, j, 1)
    # The mark behind the brace of the annotations, and nowhere else.
    if (noted == 1) { if (c != "\003") miss(); noted = 2; continue }
    if (c == " " || c == "\n" || c == "\t" || c == "\r") continue
    if (c == "{" || c == "[") open(c)
    else if (c == "}" || c == "]") close_(c)
    else if (c == ":") { if (state != "C") miss(); state = "V" }
    else if (c == ",") {
      if (state != "E" || depth == 0) miss()
      state = type[depth] == "{" ? "k" : "V"
    } else if (c == "\005") {
      if (type[depth] != "[" || (state != "V" && state != "A")) miss()
      state = "V"
    } else if (c == "\002") {
      if (state != "V" || depth != 2 || key[1] != "linux" || key[2] != "seccomp") miss()
      placed = 1
      state = "E"
    } else if (c == "\006") scalar(0)
    else {
      rest = substr(p, j)
      if (!match(rest, /^[-+.0-9a-zA-Z]+/)) miss()
      rest = substr(rest, 1, RLENGTH)
      if (rest != "true" && rest != "false" && rest != "null" &&
          rest !~ /^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?$/) miss()
      scalar(0)
      j += length(rest) - 1
    }
  }
}
#@if LONG
# Byte 1 for escapes in a row. No backslash is left but of a wrong escape.
function unescaped(text,    done, w, all, rest, n) {
  if (text ~ /\\u[dD][89abcdefABCDEF]/ || text ~ /\\u0000/) miss()
  all = rest = ""
  n = length(text)
  for (done = 0; done < n; done += 200) {
    w = rest substr(text, done + 1, window(done, 200, n))
    rest = ""
    if (index(w, "\\") == 0) { all = all w; continue }
    if (w ~ /^(\\["\\\/bfnrt])+$/) { all = all "\001"; continue }
    gsub(/(\\["\\\/bfnrt]|\\u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F])+/, "\001", w)
    if (match(substr(w, length(w) - 4), /\\u?[0-9a-fA-F]*$/)) {
      rest = substr(w, length(w) - RLENGTH + 1)
      w = substr(w, 1, length(w) - RLENGTH)
    }
    all = all w
  }
  if (rest != "" || index(all, "\\")) miss()
  return all
}
# Byte 5 for strings with a comma after each, since an array has an end for each
# quote. A window begins outside of strings, or `inside` of one.
function listed(text,    done, w, v, inside, all, quote, n) {
  all = ""
  inside = 0
  n = length(text)
  for (done = 0; done < n; done += length(w)) {
    w = substr(text, done + 1, window(done, 1000, n))
    if (index(w, "\",") && match(w, /.*",/)) {
      v = substr(w, 1, RLENGTH)
      if (!inside && v ~ /^("[^"]*",)+$/) { all = all "\005"; w = v; continue }
      # The next one begins outside.
      if ((split(v, quote, "\"") - 1 + inside) % 2 == 0) w = v
    }
    inside = (split(w, quote, "\"") - 1 + inside) % 2
    all = all w
  }
  return all
}
# What stands between two strings.
function outside(p,    done, w, n, step, k) {
  if (length(p) <= 200) { signs(p); return }
  # busybox counts from the start of a text for each of its characters.
  n = length(p)
  for (done = 0; done < n; done += step) {
    w = substr(p, done + 1, window(done, 200, n))
    if (length(w) == 200) {
      # Not in the middle of a value.
      if (!match(w, /[-+.0-9a-zA-Z]*$/) || RSTART == 1) miss()
      w = substr(w, 1, RSTART - 1)
      if (match(w, /.*,/)) w = substr(w, 1, RLENGTH)
    }
    step = length(w)
    if (w ~ /^[ \t\n\r]+$/) continue
    # Byte 6 for an array that is whole, from the inside out.
    for (k = depth; index(w, "]") && gsub(/\[[ \t\n\r]*((true|false|null|\006|-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?)([ \t\n\r]*,[ \t\n\r]*(true|false|null|\006|-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?))*)?[ \t\n\r]*\]/, "\006", w) > 0; k++)
      if (k >= 100) miss()
    # Values of an array.
    if (type[depth] == "[" && (state == "V" || state == "A") &&
        w ~ /^([ \t\n\r]*(true|false|null|\006|-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?)[ \t\n\r]*,)+$/) state = "V"
    else signs(w)
  }
}
#@end
function parse(    n, i, blank) {
  escaped = index(doc, "\\")
  #@if LONG
  if (escaped) doc = unescaped(doc)
  if (length(doc) > 20000) doc = listed(doc)
  #@else
  if (length(doc) > (escaped ? 8000 : 20000)) leave(14)
  if (escaped) {
    if (doc ~ /\\u[dD][89abcdefABCDEF]/ || doc ~ /\\u0000/) miss()
    gsub(/(\\["\\\/bfnrt]|\\u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F])+/, "\001", doc)
    if (index(doc, "\\")) miss()
  }
  #@end
  blank = doc ~ /[\t\n\r]/
  n = split(doc, part, "\"")
  if (n % 2 == 0) miss()
  state = "V"
  #@if LONG
  outside(part[1])
  #@else
  signs(part[1])
  #@end
  for (i = 2; i < n; i += 2) {
    if (blank && part[i] ~ /[\t\n\r]/) miss()
    if (state == "K" || state == "k") {
      member(part[i])
      if (part[i + 1] == ":") { state = "V"; continue }
    } else {
      scalar(1)
      if (part[i + 1] == ",") {
        state = "k"
        if (type[depth] == "{") continue
        # Strings of an array.
        while (!blank && part[i + 3] == ",") i += 2
        state = "V"
        continue
      }
    }
    #@if LONG
    outside(part[i + 1])
    #@else
    signs(part[i + 1])
    #@end
  }
  if (state != "D") miss()
}
# The length of the object that begins there; `shape` tells objects of one length
# apart. shapeOf() in store/entry.ts does the same.
function measure(from,    open_, done, n, i, piece, side) {
  open_ = done = shape = 0
  do {
    n = split(substr(doc, from + done, window(from + done - 1, 30000, length(doc))), piece, "}")
    for (i = 1; i < n; i++) {
      open_ += split("x" piece[i], side, "{") - 2
      done += length(piece[i]) + 1
      shape = (shape * 131 + length(piece[i])) % 2147483647
      if (open_ == 0) return done
    }
  } while (n > 1)
  return 0
}
# Reads which entries are current, and compares what that depends on.
function current(    text, l, n, i, w) {
  if ((getline text < (store "/" environment)) <= 0) return 0
  n = split(text, l, "\n")
  if (l[1] != "seccomp-tree environment 1" || l[2] !~ /^id [0-9a-f]+$/) return 0
  if (n < 4 || l[n] != "" || l[n - 1] != "end") return 0
  known = n - 4
  for (i = 1; i <= known; i++) {
    split(l[i + 2], w, " ")
    if (w[1] != "file" || index(file[files - 2 - known + i] "$", " " w[3] " " w[4] "$") == 0) return 0
  }
  env = substr(l[2], 4)
  return 1
}
# Reads an entry: its filter, "" for another section, "-" if it is not whole,
# "left" if the section is left to its runtime.
function entry(path, section,    text, l, n, at, mark) {
  if ((getline text < path) <= 0) return "-"
  mark = "\nsection " length(section) "\n"
  at = index(text, mark)
  if (!at) return "-"
  if (substr(text, at + length(mark), length(section)) != section) return ""
  n = split(substr(text, 1, at - 1), l, "\n")
  if (n != 6 || l[1] != "seccomp-tree entry 2" || l[3] != "environment " env) return "-"
  # It is there twice, so that damage shows.
  if (index(substr(text, at + length(mark) + length(section)), "\n" l[6] "\ndigest ") != 1) return "-"
  if (text !~ /\nend\n$/) return "-"
  if (l[6] ~ /^left /) return strict ? "-" : "left"
  text = substr(l[6], 8)
  return l[6] ~ /^filter [A-Za-z0-9+\/]+=?=?$/ && length(text) % 4 == 0 ? text : "-"
}
# Finds the entry whose section follows the first "seccomp" key, and takes that out.
function find(    section, i, until) {
  if (!match(doc, /"seccomp"[ \t\n\r]*:[ \t\n\r]*[{]/)) return
  place = RSTART + RLENGTH - 1
  size = measure(place)
  if (!size) return
  section = substr(doc, place, size)
  if (!current()) {
    known = 0
    name = "none." size "." shape
    value = "-"
  }
  for (i = 0; value == "" && i < 100; i++) {
    name = env "." size "." shape "." i
    value = entry(store "/" name, section)
  }
  if (value == "-") {
    value = ""
    # The time until which it is not compiled again.
    if (strict || (getline until < (store "/" name ".killed")) <= 0 || until !~ /^[0-9]+\n$/) return
    value = "left until " until
  }
  if (value == "") return
  doc = substr(doc, 1, place - 1) "\002" substr(doc, place + size)
}
# Reports whether nobody else can change what was read, by what stat tells of each
# file: kind and mode in hexadecimal, and owner. In the order of the caller: for a bundle
# its configuration, itself and the folders above it; the folders above the store and the store;
# the environment, the files that it depends on, and two counts.
function trusted(    home, last, i, w, plain) {
  # Without an environment a store may say that a section is left.
  last = files - 2 - known
  home = env == "" ? last : last - 1
  if (bundle ? home < folders + 2 : home != folders) return 0
  for (i = 1; i <= last; i++) {
    split(file[i], w, " ")
    if (index(owners, " " w[2] " ") == 0) return 0
    # Neither the group nor others may write.
    plain = w[1] ~ /^[48].[02468ace][014589cd]$/
    if (i > home || bundle && i == 1) { if (!plain || w[1] !~ /^8/) return 0 }
    # Nobody else looks into the store, so its entries need no look.
    else if (i == home) { if (w[1] !~ /^4.c0$/) return 0 }
    # A file that is made in the bundle would have the group of that.
    else if (bundle && i == 2 && w[1] ~ /^4[4567cdef]/) return 0
    # In a sticky folder others cannot replace what is not theirs.
    else if (w[1] !~ /^4/ || !plain && (bundle && i == 2 || w[1] !~ /^4[2367abef]/)) return 0
  }
  return 1
}
# Reports for the shell which count this container belongs to. A count that was
# written last shows the time, nearly; one that is too long is for Deno.
function counted(kind,    i, w, now) {
  now = 0
  if (bundle) {
    split(file[1], w, " ")
    now = w[4]
  }
  for (i = files - 1; i <= files; i++) {
    split(file[i], w, " ")
    if (w[4] > now) now = w[4]
    if (w[3] >= 1048576) leave(10)
  }
  if (value ~ /^left until/) {
    if (substr(value, 12) + 0 <= now) leave(10)
    name = name ".killed"
  }
  if (!bundle) {
    print kind " " name > "/dev/stderr"
    close("/dev/stderr")
  }
}
BEGIN {
  RS = "^$"
  config = value = name = env = ""
  depth = ids = escaped = empty = confined = placed = noted = place = size = shape = 0
}
NR == 1 { config = $0 }
END {
  if (NR > 1) exit 12
  if (sealed) {
    if (config !~ /\002$/) exit 12
    config = substr(config, 1, length(config) - 1)
  }
  files = split(ENVIRON["ST_META"], file, "\n")
  if (bundle) {
    # A NUL ends it in some awks.
    split(file[1], part, " ")
    mode = part[1]
    if (part[3] != length(config)) miss()
  }
  doc = config
  if (NR != 1 || doc ~ /[^\t\n\r -~]/) miss()
  if (index(doc, "seccomp_bpf_data") || index(doc, "run.oci.seccomp")) miss()
  if (index(doc, "\"seccomp\"")) find()
  if (bundle == 2) {
    print name
    exit 10
  }
  spot = 0
  if (match(doc, /"annotations"[ \t\n\r]*:[ \t\n\r]*[{]/)) {
    spot = RSTART + RLENGTH - 1
    doc = substr(doc, 1, spot) "\003" substr(doc, spot + 1)
  }
  parse()
  if (value == "" && confined) leave(10)
  ORS = ""
  if (value == "") {
    if (!bundle) print config
    exit 0
  }
  if (!placed) miss()
  if (!trusted()) leave(10)
  if (value ~ /^left/) {
    counted("left")
    if (bundle) exit 21
    print config
    exit 0
  }
  insertion = "\"run.oci.seccomp_bpf_data\":\"" value "\""
  if (noted == 2) {
    if (!empty) insertion = insertion ","
    # The section is one byte there.
    if (spot > place) spot += size - 1
  } else {
    match(config, /^[ \t\n\r]*[{]/)
    spot = RLENGTH
    insertion = "\"annotations\":{" insertion "},"
  }
  value = substr(config, 1, spot) insertion substr(config, spot + 1)
  if (!bundle) {
    counted("hit")
    print value
    exit 0
  }
  # The modes that the caller knows an umask for.
  if (mode !~ /^81(a4|a0|80)$/) leave(10)
  temp = ENVIRON["ST_TEMP"] name
  print value > temp
  if (close(temp) != 0) exit 12
  #@if KEEPSNUL
  #@else
  # A full disk does not fail in the awk of busybox.
  config = ""
  if ((getline config < temp) <= 0 || config != value) exit 12
  #@end
  counted("hit")
  exit 20
}
