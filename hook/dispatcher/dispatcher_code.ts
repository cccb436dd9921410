/**
 * Holds the programs of hook/dispatcher/, for dispatcher.ts. Written by
 * `deno task embed`.
 *
 * @module
 */

/** hook.sh: Podman's `precreate` stage. */
export const HOOK_SH =
  `# Adds a precompiled seccomp filter to a container's configuration.
if [ $# -ne 0 ]; then exec @WITHOUTJIT@ hook --settings @SETTINGS@ "$@"; fi
LC_ALL=C st_name=''
export LC_ALL
st_nl='
'
exec 3>&1
# awk answers on standard output, and reports on standard error.
st_look() {
  ST_META=''
  if ! { @LINKED@; }; then ST_META=$(exec @STAT@ @WATCHED@ 2>&-); fi
  export ST_META
  #@if KEEPSNUL
  exec @AWK@ -v bundle=0 -v sealed=0 "$st_program"
  #@else
  [ -x @AWKPATH@ ] || exit 127
  { @TR@ '\\000' '\\001' && printf '\\002'; } | @AWK@ -v bundle=0 -v sealed=1 "$st_program"
  #@end
}
# Takes what awk has said: ends after an answer.
st_judge() {
  st_seen=$1
  case $st_seen in
  0)
    if [ -n "$st_text" ]; then
      st_count "\${st_text%% *}"
      st_owned "\${st_text#* }"
    fi
    exit 0 ;;
  126 | 127)
    # Without awk, the configuration has not been read.
    st_text=$(@TR@ '\\000' '\\001'; printf .)
    st_seen=11 st_length=$((\${#st_text} - 1)) ;;
  *)
    st_length=\${st_text%%"$st_nl"*}
    st_text=\${st_text#*"$st_nl"}
    st_name=\${st_length#* } st_length=\${st_length% *} ;;
  esac
  case $st_seen$st_text in
  1[014]*.) st_text=\${st_text%.} ;;
  *) st_seen=bad ;;
  esac
  if [ "$st_seen" = bad ] || [ "$st_length" != "\${#st_text}" ]; then
    # Not read to its end, or with a NUL, which shells drop: this is not taken
    # for complete.
    st_seen=11 st_text=$(printf '\\001')
  fi
}
@SHARED@
st_program=@PROGRAM@
# The report is what the shell takes.
#@if NESTS
# What this shell does at the end of a subshell needs no other process, and saves
# no descriptor.
st_text=$( (ulimit -t @SECONDS@; (st_look) 2>&1 >&3 3>&-) 2>&-)
#@else
# bash warns of a NUL in what it takes.
{ st_text=$(ulimit -t @SECONDS@ 2>&-; st_look 2>&1 >&3 3>&-); } 2>/dev/null
#@end
st_judge $?
if [ "$st_seen" -eq 14 ]; then
  st_program=@LONGPROGRAM@
  st_text=$(printf %s "$st_text" | { ulimit -t @SECONDS@ 2>&-; st_look 2>&1 >&3 3>&-; })
  st_judge $?
fi
st_locked=''
st_deno() {
  st_answer=$(
    printf %s "$st_text" | "$@" hook --settings @SETTINGS@ --refused 3 \${st_locked:+"$st_locked"} 3>&- 9<&-
    st_status=$?
    printf .
    exit "$st_status"
  )
  st_status=$?
  # Without an answer it has not ended by itself.
  if [ "$st_status$st_answer" = 0. ]; then st_status=1; fi
}
st_slow() {
  #@if FLOCK
  # Of many starts at once, one compiles; the others look again.
  if [ "$st_seen" -eq 10 ] && @FLOCK@ -w @SECONDS@ 9; then
    st_locked=--locked
    st_answer=$(
      printf %s "$st_text" | { ulimit -t @SECONDS@ 2>&-; st_look 2>/dev/null 3>&- 9<&-; }
      st_status=$?
      printf .
      exit "$st_status"
    )
    st_status=$?
    if [ "$st_status" -eq 0 ]; then
      if [ "$st_answer" = "$st_text." ]; then st_count left; else st_count hit; fi
      return
    fi
  fi
  #@end
  st_deno @SLOW@
  if [ "$st_status" -eq 1 ]; then st_deno @WITHOUTJIT@; fi
}
if [ "$st_seen" -eq 10 ] && [ ! -d @STORE@ ]; then @MKDIR@ -m 700 @STORE@ 2>/dev/null; fi
#@if FLOCK
if [ -r @STORE@ ]; then st_slow 9<@STORE@; else st_slow; fi
#@else
st_slow
#@end
case $st_status in
0)
  printf %s "\${st_answer%.}"
  exit ;;
3) exit 1 ;;
esac
st_remember "$st_name" "$st_status"
printf 'seccomp-tree: the hook ended with status %s: run seccomp-tree doctor\\n' "$st_status" >&2
#@if LENIENT
if [ "$st_seen" -eq 10 ]; then
  # Every reader reads it alike, and no filter replaces its section: its runtime makes that.
  @LOGGER@
  printf %s "$st_text"
  exit
fi
#@end
exit 1
`;

/** wrapper.sh: The wrapper of a runtime. */
export const WRAPPER_SH =
  `# Adds a precompiled seccomp filter to a bundle, then becomes the runtime.
st_nl='
'
st_mode=global st_bundle=. st_log='' st_format='' st_wait='' st_meta='' st_real='' st_program=''
for st_word do
  if [ -n "$st_wait" ]; then
    case $st_wait in
    bundle) st_bundle=$st_word ;;
    log) st_log=$st_word ;;
    format) st_format=$st_word ;;
    esac
    st_wait=
    continue
  fi
  case $st_mode:$st_word in
  global:--log) st_wait=log ;;
  global:--log=*) st_log=\${st_word#*=} ;;
  global:--log-format) st_wait=format ;;
  global:--log-format=*) st_format=\${st_word#*=} ;;
  global:--root | global:--log-level | global:--cgroup-manager | global:--rootless | global:--criu) st_wait=skip ;;
  global:--root=* | global:--log-level=* | global:--cgroup-manager=* | global:--rootless=* | global:--criu=*) ;;
  global:--debug | global:--systemd-cgroup) ;;
  global:create | global:run) st_mode=create ;;
  global:--version | global:-v | global:--help | global:-h | global:-V | global:--usage | 'global:-?') exec @RUNTIME@ "$@" ;;
  global:-*) st_mode=unclear; break ;;
  global:*) exec @RUNTIME@ "$@" ;;
  create:--) break ;;
  create:--bundle | create:-b) st_wait=bundle ;;
  create:--bundle=*) st_bundle=\${st_word#*=} ;;
  create:-b*) st_bundle=\${st_word#-b} ;;
  create:--console-socket | create:--pid-file | create:--pidfd-socket | create:--preserve-fds) st_wait=skip ;;
  create:--console-socket=* | create:--pid-file=* | create:--pidfd-socket=* | create:--preserve-fds=*) ;;
  create:--detach | create:-d | create:--keep | create:--no-pivot | create:--no-new-keyring | create:--no-subreaper) ;;
  create:-) ;;
  create:-*) st_mode=unclear; break ;;
  esac
done
if [ "$st_mode" = global ]; then exec @RUNTIME@ "$@"; fi
if [ -n "$st_wait" ] || [ -z "$st_bundle" ]; then st_mode=unclear; fi
case $st_bundle in
/*) ;;
*) st_bundle=./$st_bundle ;;
esac
st_stat() {
  cd -P -- "$st_bundle" || exit
  # Another owner or group than a new file would have is for Deno. If one user is
  # trusted, nobody else gets this far.
  #@if SEVERAL
  [ -O config.json ] || exit
  #@end
  [ -G config.json ] && [ ! -L config.json ] || exit
  if @LINKED@; then exit; fi
  umask
  ulimit -S -t
  printf '%s\\n' "$PWD"
  st_up=. st_above=. st_word=\${PWD%/}
  while [ -n "$st_word" ]; do
    st_word=\${st_word%/*} st_up=$st_up/..
    st_above="$st_above $st_up"
  done
  LC_ALL=C
  export LC_ALL
  # shellcheck disable=SC2086
  exec @STAT@ config.json $st_above @WATCHED@
}
st_measure() {
  #@if NESTS
  st_meta=$( (st_stat) 2>&-)
  #@else
  st_meta=$(st_stat 2>&-)
  #@end
  st_umask=\${st_meta%%"$st_nl"*} st_meta=\${st_meta#*"$st_nl"}
  st_cpu=\${st_meta%%"$st_nl"*} st_meta=\${st_meta#*"$st_nl"}
  # The folder itself, whatever its path leads to later.
  st_real=\${st_meta%%"$st_nl"*} st_meta=\${st_meta#*"$st_nl"}
}
# What awk knows of the bundle: 0 if nothing remains to be done.
st_look() {
  st_seen=11
  st_measure
  # A new file has the mode of the old one from its beginning.
  case $st_meta in
  81a4*) st_mask=0022 ;;
  81a0*) st_mask=0027 ;;
  8*) st_mask=0077 ;;
  *) return ;;
  esac
  if [ "$st_mask" != "$st_umask" ]; then umask "$st_mask"; fi
  # A lower limit stays, because it cannot be raised.
  st_word=@SECONDS@
  if [ "$st_cpu" = unlimited ] || [ "$st_cpu" -gt "$st_word" ]; then ulimit -S -t "$st_word"; fi
  st_temp=$st_real/.seccomp-tree-$$.
  LC_ALL=C ST_META=$st_meta ST_TEMP=$st_temp @AWK@ -v bundle=1 -v sealed=0 "$st_program" "$st_real/config.json"
  st_seen=$?
  ulimit -S -t "$st_cpu"
  if [ "$st_mask" != "$st_umask" ]; then umask "$st_umask"; fi
  case $st_seen in
  0 | 10 | 14) return ;;
  21)
    st_count left
    st_seen=0
    return ;;
  20)
    # What awk has read with certainty is known, whatever happens to the file.
    st_seen=10
    for st_word in "$st_temp"*; do
      if st_owned "\${st_word#"$st_temp"}" && @MV@ -f "$st_word" "$st_real/config.json"; then
        st_count hit
        st_seen=0
        return
      fi
    done ;;
  *) st_seen=11 ;;
  esac
  for st_word in "$st_temp"*; do
    if [ -f "$st_word" ]; then @RM@ -f "$st_word"; fi
  done
}
@SHARED@
st_seen=11
if [ "$st_mode" = create ]; then
  st_program=@PROGRAM@
  st_look
  if [ "$st_seen" -eq 0 ]; then exec @RUNTIME@ "$@"; fi
fi
if [ "$st_seen" -eq 14 ]; then
  st_program=@LONGPROGRAM@
  st_look
  if [ "$st_seen" -eq 0 ]; then exec @RUNTIME@ "$@"; fi
fi
st_locked=''
st_deno() {
  "$@" </dev/null >/dev/null 9<&-
  st_status=$?
}
st_slow() {
  #@if FLOCK
  # Of many starts at once, one compiles; the others look again.
  if [ "$st_seen" -eq 10 ] && @FLOCK@ -w @SECONDS@ 9 2>/dev/null; then
    st_locked=--locked
    st_look 9<&-
    if [ "$st_seen" -eq 0 ]; then st_status=0; return; fi
  fi
  #@end
  st_deno @SLOW@ runtime --settings @SETTINGS@ --refused 3 \${st_locked:+"$st_locked"} -- "$@"
  if [ "$st_status" -eq 1 ]; then
    st_deno @WITHOUTJIT@ runtime --settings @SETTINGS@ --refused 3 \${st_locked:+"$st_locked"} -- "$@"
  fi
}
if [ "$st_seen" -eq 10 ] && [ ! -d @STORE@ ]; then @MKDIR@ -m 700 @STORE@ 2>/dev/null; fi
#@if FLOCK
if [ -r @STORE@ ]; then st_slow "$@" 9<@STORE@; else st_slow "$@"; fi
#@else
st_slow "$@"
#@end
if [ "$st_status" -eq 0 ]; then exec @RUNTIME@ "$@"; fi
if [ "$st_status" -ne 3 ]; then
  st_measure
  st_remember "$(LC_ALL=C ST_META=$st_meta @AWK@ -v bundle=2 -v sealed=0 "$st_program" "$st_real/config.json" 2>/dev/null)" "$st_status"
  st_word="seccomp-tree: its compiler ended with status $st_status: run seccomp-tree doctor"
  #@if LENIENT
  if [ "$st_seen" -eq 10 ]; then
    # Every reader reads it alike, and no filter replaces its section: its runtime makes that.
    @LOGGER@
    exec @RUNTIME@ "$@"
  fi
  #@end
  printf '%s\\n' "$st_word" >&2
  if [ -n "$st_log" ] && [ "$st_format" = json ]; then
    printf '{"level":"error","msg":"%s","time":"%s"}\\n' "$st_word" "$(@DATE@ -u +%Y-%m-%dT%H:%M:%SZ)" >>"$st_log"
  elif [ -n "$st_log" ]; then
    printf '%s\\n' "$st_word" >>"$st_log"
  fi
fi
exit 1
`;

/** counts.sh: Entries that both write to the store. */
export const COUNTS_SH =
  `# Adds one container to a count, if that is there and can be written to.
st_count() {
  if [ -w @STORE@/count."$1" ]; then printf . >>@STORE@/count."$1"; fi
}
# Renames an entry that another user owns, although nobody else can enter the
# store.
st_owned() {
  if [ -O @STORE@/"$1" ] && [ ! -L @STORE@/"$1" ]; then return; fi
  @MV@ -f @STORE@/"$1" @STORE@/"$1".bad 2>/dev/null
  return 1
}
# Remembers for an hour that the compiler was killed over a section: by a limit of memory,
# or of time. Whatever else fails is tried each time, for it costs little and may be mended.
st_remember() {
  # In another user's folder, a name may lead elsewhere.
  if [ ! -O @STORE@ ] || [ -L @STORE@ ]; then return; fi
  case $(@STAT@ @STORE@ 2>/dev/null) in
  4?c0\\ *) ;;
  *) return ;;
  esac
  { printf . >>@STORE@/count.failed; } 2>/dev/null
  if [ "$2" -le 128 ] || [ -z "$1" ]; then return; fi
  st_word=$(@DATE@ +%s)
  {
    # By the time of these it expires.
    printf '' >>@STORE@/count.hit
    printf '' >>@STORE@/count.left
    printf '%s\\n' "$((st_word + 3600))" >@STORE@/"$1".killed
  } 2>/dev/null
}
`;

/** dispatcher.awk: Reads one configuration. */
export const DISPATCHER_AWK =
  `# Hands the configuration on, with the status that says what is known about it.
function leave(status) {
  ORS = ""
  if (!bundle) {
    print length(config) " " name "\\n" config "." > "/dev/stderr"
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
  if (escaped && index(s, "\\001")) miss()
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
    if (noted == 1) { if (c != "\\003") miss(); noted = 2; continue }
    if (c == " " || c == "\\n" || c == "\\t" || c == "\\r") continue
    if (c == "{" || c == "[") open(c)
    else if (c == "}" || c == "]") close_(c)
    else if (c == ":") { if (state != "C") miss(); state = "V" }
    else if (c == ",") {
      if (state != "E" || depth == 0) miss()
      state = type[depth] == "{" ? "k" : "V"
    } else if (c == "\\005") {
      if (type[depth] != "[" || (state != "V" && state != "A")) miss()
      state = "V"
    } else if (c == "\\002") {
      if (state != "V" || depth != 2 || key[1] != "linux" || key[2] != "seccomp") miss()
      placed = 1
      state = "E"
    } else if (c == "\\006") scalar(0)
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
  if (text ~ /\\\\u[dD][89abcdefABCDEF]/ || text ~ /\\\\u0000/) miss()
  all = rest = ""
  n = length(text)
  for (done = 0; done < n; done += 200) {
    w = rest substr(text, done + 1, window(done, 200, n))
    rest = ""
    if (index(w, "\\\\") == 0) { all = all w; continue }
    if (w ~ /^(\\\\["\\\\\\/bfnrt])+$/) { all = all "\\001"; continue }
    gsub(/(\\\\["\\\\\\/bfnrt]|\\\\u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F])+/, "\\001", w)
    if (match(substr(w, length(w) - 4), /\\\\u?[0-9a-fA-F]*$/)) {
      rest = substr(w, length(w) - RLENGTH + 1)
      w = substr(w, 1, length(w) - RLENGTH)
    }
    all = all w
  }
  if (rest != "" || index(all, "\\\\")) miss()
  return all
}
# Byte 5 for strings with a comma after each, since an array has an end for each
# quote. A window begins outside of strings, or \`inside\` of one.
function listed(text,    done, w, v, inside, all, quote, n) {
  all = ""
  inside = 0
  n = length(text)
  for (done = 0; done < n; done += length(w)) {
    w = substr(text, done + 1, window(done, 1000, n))
    if (index(w, "\\",") && match(w, /.*",/)) {
      v = substr(w, 1, RLENGTH)
      if (!inside && v ~ /^("[^"]*",)+$/) { all = all "\\005"; w = v; continue }
      # The next one begins outside.
      if ((split(v, quote, "\\"") - 1 + inside) % 2 == 0) w = v
    }
    inside = (split(w, quote, "\\"") - 1 + inside) % 2
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
    if (w ~ /^[ \\t\\n\\r]+$/) continue
    # Byte 6 for an array that is whole, from the inside out.
    for (k = depth; index(w, "]") && gsub(/\\[[ \\t\\n\\r]*((true|false|null|\\006|-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?)([ \\t\\n\\r]*,[ \\t\\n\\r]*(true|false|null|\\006|-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?))*)?[ \\t\\n\\r]*\\]/, "\\006", w) > 0; k++)
      if (k >= 100) miss()
    # Values of an array.
    if (type[depth] == "[" && (state == "V" || state == "A") &&
        w ~ /^([ \\t\\n\\r]*(true|false|null|\\006|-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?)[ \\t\\n\\r]*,)+$/) state = "V"
    else signs(w)
  }
}
#@end
function parse(    n, i, blank) {
  escaped = index(doc, "\\\\")
  #@if LONG
  if (escaped) doc = unescaped(doc)
  if (length(doc) > 20000) doc = listed(doc)
  #@else
  if (length(doc) > (escaped ? 8000 : 20000)) leave(14)
  if (escaped) {
    if (doc ~ /\\\\u[dD][89abcdefABCDEF]/ || doc ~ /\\\\u0000/) miss()
    gsub(/(\\\\["\\\\\\/bfnrt]|\\\\u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F])+/, "\\001", doc)
    if (index(doc, "\\\\")) miss()
  }
  #@end
  blank = doc ~ /[\\t\\n\\r]/
  n = split(doc, part, "\\"")
  if (n % 2 == 0) miss()
  state = "V"
  #@if LONG
  outside(part[1])
  #@else
  signs(part[1])
  #@end
  for (i = 2; i < n; i += 2) {
    if (blank && part[i] ~ /[\\t\\n\\r]/) miss()
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
# The length of the object that begins there; \`shape\` tells objects of one length
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
  n = split(text, l, "\\n")
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
  mark = "\\nsection " length(section) "\\n"
  at = index(text, mark)
  if (!at) return "-"
  if (substr(text, at + length(mark), length(section)) != section) return ""
  n = split(substr(text, 1, at - 1), l, "\\n")
  if (n != 6 || l[1] != "seccomp-tree entry 2" || l[3] != "environment " env) return "-"
  # It is there twice, so that damage shows.
  if (index(substr(text, at + length(mark) + length(section)), "\\n" l[6] "\\ndigest ") != 1) return "-"
  if (text !~ /\\nend\\n$/) return "-"
  if (l[6] ~ /^left /) return strict ? "-" : "left"
  text = substr(l[6], 8)
  return l[6] ~ /^filter [A-Za-z0-9+\\/]+=?=?$/ && length(text) % 4 == 0 ? text : "-"
}
# Finds the entry whose section follows the first "seccomp" key, and takes that out.
function find(    section, i, until) {
  if (!match(doc, /"seccomp"[ \\t\\n\\r]*:[ \\t\\n\\r]*[{]/)) return
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
    if (strict || (getline until < (store "/" name ".killed")) <= 0 || until !~ /^[0-9]+\\n$/) return
    value = "left until " until
  }
  if (value == "") return
  doc = substr(doc, 1, place - 1) "\\002" substr(doc, place + size)
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
    if (config !~ /\\002$/) exit 12
    config = substr(config, 1, length(config) - 1)
  }
  files = split(ENVIRON["ST_META"], file, "\\n")
  if (bundle) {
    # A NUL ends it in some awks.
    split(file[1], part, " ")
    mode = part[1]
    if (part[3] != length(config)) miss()
  }
  doc = config
  if (NR != 1 || doc ~ /[^\\t\\n\\r -~]/) miss()
  if (index(doc, "seccomp_bpf_data") || index(doc, "run.oci.seccomp")) miss()
  if (index(doc, "\\"seccomp\\"")) find()
  if (bundle == 2) {
    print name
    exit 10
  }
  spot = 0
  if (match(doc, /"annotations"[ \\t\\n\\r]*:[ \\t\\n\\r]*[{]/)) {
    spot = RSTART + RLENGTH - 1
    doc = substr(doc, 1, spot) "\\003" substr(doc, spot + 1)
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
  insertion = "\\"run.oci.seccomp_bpf_data\\":\\"" value "\\""
  if (noted == 2) {
    if (!empty) insertion = insertion ","
    # The section is one byte there.
    if (spot > place) spot += size - 1
  } else {
    match(config, /^[ \\t\\n\\r]*[{]/)
    spot = RLENGTH
    insertion = "\\"annotations\\":{" insertion "},"
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
`;
