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
LC_ALL=C
export LC_ALL
st_nl='
'
st_list=
if [ -r @ENVIRONMENT@ ]; then
  st_list=$(
    while read -r st_word st_path _; do
      if [ "$st_word" = file ]; then set -- "$@" "$st_path"; fi
    done 2>/dev/null <@ENVIRONMENT@
    @BARE@
    exec @STAT@ @FOLDERS@ @STORE@/* "$@" 2>/dev/null
  )
fi
if [ "\${#st_list}" -gt 100000 ]; then st_list=; fi
# Ends as Deno did.
st_end() {
  case $1 in
  0) exit ;;
  3) ;;
  *) printf 'seccomp-tree: the hook ended with status %s: run seccomp-tree doctor\\n' "$1" >&2 ;;
  esac
  exit 1
}
st_answer=$(
  #@if KEEPSNUL
  ST_LISTING=$st_list
  export ST_LISTING
  exec @TIMEOUT@ @AWK@ -v bundle=0 -v sealed=0 @PROGRAM@ 2>/dev/null
  #@else
  { @TIMEOUT@ @TR@ '\\000' '\\001' && printf '\\002'; } | ST_LISTING=$st_list @AWK@ -v bundle=0 -v sealed=1 @PROGRAM@ 2>/dev/null
  #@end
)
st_status=$?
#@if KEEPSNUL
case $st_status in
126 | 127)
  # A program is missing, so nobody has read the configuration.
  @SLOW@ hook --settings @SETTINGS@ --refused 3
  st_status=$?
  if [ "$st_status" -eq 1 ]; then
    @WITHOUTJIT@ hook --settings @SETTINGS@ --refused 3
    st_status=$?
  fi
  st_end "$st_status" ;;
esac
#@end
case $st_answer in
*.) st_answer=\${st_answer%.} ;;
*) st_status=unfinished ;;
esac
st_verdict=\${st_answer%%"$st_nl"*}
st_answer=\${st_answer#*"$st_nl"}
case $st_status$st_verdict in
"0none")
  printf %s "$st_answer"
  exit ;;
"0hit "*)
  st_name=\${st_verdict#hit }
  st_sum=$(@BARE@ exec @SHA256SUM@ <"@STORE@/$st_name")
  if [ "\${st_sum%% *}" = "\${st_name##*.}" ]; then
    printf %s "$st_answer"
    exit
  fi ;;
"0miss \${#st_answer}") ;;
# Not read to its end, or with a NUL, which shells drop: nobody takes this for whole.
*) st_answer=$(printf '\\001') ;;
esac
printf %s "$st_answer" | @SLOW@ hook --settings @SETTINGS@ --refused 3
st_status=$?
if [ "$st_status" -eq 1 ]; then
  printf %s "$st_answer" | @WITHOUTJIT@ hook --settings @SETTINGS@ --refused 3
  st_status=$?
fi
st_end "$st_status"
`;

/** wrapper.sh: The wrapper of a runtime. */
export const WRAPPER_SH =
  `# Adds a precompiled seccomp filter to a bundle, then becomes the runtime.
st_nl='
'
st_mode=global st_bundle=. st_log='' st_format='' st_wait=''
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
st_answer='' st_status=''
if [ "$st_mode" = create ] && [ -r @ENVIRONMENT@ ] && [ -f "$st_bundle/config.json" ]; then
  st_answer=$(
    cd -P -- "$st_bundle" || exit
    # Another owner or group than a new file would have is for Deno.
    [ -O config.json ] && [ -G config.json ] && [ ! -g . ] || exit
    set -- . config.json
    st_list=$(
    while read -r st_word st_path _; do
      if [ "$st_word" = file ]; then set -- "$@" "$st_path"; fi
    done 2>/dev/null <@ENVIRONMENT@
    @BARE@
    exec @STAT@ @FOLDERS@ @STORE@/* "$@" 2>/dev/null
    )
    if [ "\${#st_list}" -gt 100000 ]; then st_list=; fi
    #@if KEEPSNUL
    LC_ALL=C ST_LISTING=$st_list
    export LC_ALL ST_LISTING
    exec @AWK@ -v bundle=1 -v sealed=0 @PROGRAM@ <config.json 2>/dev/null
    #@else
    { @TR@ '\\000' '\\001' <config.json && printf '\\002'; } | LC_ALL=C ST_LISTING=$st_list @AWK@ -v bundle=1 -v sealed=1 @PROGRAM@ 2>/dev/null
    #@end
  ) 2>/dev/null
  st_status=$?
fi
case $st_answer in
*.) st_answer=\${st_answer%.} ;;
*) st_status=unfinished ;;
esac
st_verdict=\${st_answer%%"$st_nl"*}
case $st_status$st_verdict in
"0none") exec @RUNTIME@ "$@" ;;
"0hit "*)
  st_name=\${st_verdict#hit }
  st_sum=$(@BARE@ exec @SHA256SUM@ <"@STORE@/\${st_name#* }")
  if [ "\${st_sum%% *}" = "\${st_name##*.}" ]; then
    (
      cd -P -- "$st_bundle" || exit 1
      case \${st_name%% *} in
      600) umask 077 ;;
      640) umask 027 ;;
      644) umask 022 ;;
      *) exit 1 ;;
      esac
      set -C
      @BARE@
      printf %s "\${st_answer#*"$st_nl"}" >".seccomp-tree-$$" && exec @MV@ -f ".seccomp-tree-$$" config.json
    ) 2>/dev/null && exec @RUNTIME@ "$@"
  fi ;;
esac
@SLOW@ runtime --settings @SETTINGS@ --refused 3 -- "$@" </dev/null >/dev/null
st_status=$?
if [ "$st_status" -eq 1 ]; then
  @WITHOUTJIT@ runtime --settings @SETTINGS@ --refused 3 -- "$@" </dev/null >/dev/null
  st_status=$?
fi
if [ "$st_status" -eq 0 ]; then exec @RUNTIME@ "$@"; fi
if [ "$st_status" -ne 3 ]; then
  st_answer="seccomp-tree: its compiler ended with status $st_status: run seccomp-tree doctor"
  printf '%s\\n' "$st_answer" >&2
  if [ -n "$st_log" ] && [ "$st_format" = json ]; then
    printf '{"level":"error","msg":"%s","time":"%s"}\\n' "$st_answer" "$(@DATE@ -u +%Y-%m-%dT%H:%M:%SZ)" >>"$st_log"
  elif [ -n "$st_log" ]; then
    printf '%s\\n' "$st_answer" >>"$st_log"
  fi
fi
exit 1
`;

/** dispatcher.awk: Reads one configuration. */
export const DISPATCHER_AWK =
  `# Ends the answer with a mark, so that a shell keeps what stands before it.
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
    if (index(s, "\\\\")) miss()
    if ((id[depth], s) in seen) miss()
    seen[id[depth], s] = 1
    key[depth] = s
    t = tolower(s)
    if (depth == 1 && t != s && (t == "linux" || t == "annotations")) miss()
    if (depth == 2 && key[1] == "linux" && t != s && t == "seccomp") miss()
    state = "C"
    return
  }
  if (index(s, "\\\\")) {
    if (s ~ /\\\\u[dD][89abcdefABCDEF]/ || s ~ /\\\\u0000/) miss()
    t = s
    gsub(/\\\\["\\\\\\/bfnrt]/, "_", t)
    gsub(/\\\\u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F]/, "_", t)
    if (index(t, "\\\\")) miss()
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
    if (c == " " || c == "\\n" || c == "\\t" || c == "\\r") continue
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
  n = split(doc, part, "\\"")
  state = "V"
  outside(part[1], 1)
  where = length(part[1]) + 2
  for (i = 2; i <= n; i++) {
    s = part[i]
    while (match(s, /\\\\+$/) && RLENGTH % 2 == 1) {
      if (++i > n) miss()
      s = s "\\"" part[i]
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
  n = split(ENVIRON["ST_LISTING"], line, "\\n")
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
    if (begun == 2) body = body "\\n" previous
    else if (begun == 1) { body = previous; begun = 2 }
    else begun = 1
    previous = l
  }
  close(path)
  if (begun != 2 || previous != "end") miss()
  if (body != section) return ""
  if (length(filter) % 4 || filter !~ /^[A-Za-z0-9+\\/]+=?=?$/) miss()
  return filter
}
# Finds the one entry whose section follows the first "seccomp" key.
function find(    from, size, path, w, found) {
  if (!match(doc, /"seccomp"[ \\t\\n\\r]*:[ \\t\\n\\r]*[{]/)) return
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
NR == 1 { config = $0; RS = "\\n" }
END {
  if (NR > 1) { print "bad"; exit 0 }
  if (sealed) {
    if (config !~ /\\002$/) { print "bad"; exit 0 }
    config = substr(config, 1, length(config) - 1)
  }
  doc = config
  if (NR != 1 || doc ~ /[^\\t\\n\\r -~]/) miss()
  if (index(doc, "seccomp_bpf_data") || index(doc, "run.oci.seccomp")) miss()
  if (index(doc, "\\"seccomp\\"")) {
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
  member = "\\"run.oci.seccomp_bpf_data\\":\\"" value "\\""
  if (notes) { at = notes; if (!empty) member = member "," }
  else { at = top; member = "\\"annotations\\":{" member "}," }
  # Places after the section are those of the shorter text.
  if (at > place) at += length_ - 2
  ORS = ""
  if (bundle) { split(meta["config.json"], f, " "); name = f[1] " " name }
  print "hit " name "\\n"
  print substr(config, 1, at)
  print member
  print substr(config, at + 1)
  finish()
}
`;
