#!/bin/sh
# shellcheck shell=dash
## The wrapper of a runtime: prepares the bundle, then becomes the runtime.
##
## No variable of the environment is changed for the runtime: all names begin with
## `st_`, and what is exported, `cd`, limits and masks are those of a subshell. The table of
## options is that of runtime_args.ts; tests hold both to the same cases.
##
## dispatcher.ts makes the installed program of this file. Its convention:
## - the first line and lines that begin with "##" or "# shellcheck" are omitted;
## - @NAME@ stands for a value of the host, quoted if it has to be;
## - lines from "#@if NAME" to "#@else" are for hosts that NAME is true of, from
##   there to "#@end" for the others. KEEPSNUL: the awk reads a NUL as any byte.
##
## What a hit needs comes first, for a shell reads no further than it gets.
##
## `deno task embed` writes it into dispatcher_code.ts. It is POSIX sh and what
## dash and busybox have beyond it: `test -O`, `test -G`.
# Adds a precompiled seccomp filter to a bundle, then becomes the runtime.
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
  global:--log=*) st_log=${st_word#*=} ;;
  global:--log-format) st_wait=format ;;
  global:--log-format=*) st_format=${st_word#*=} ;;
  global:--root | global:--log-level | global:--cgroup-manager | global:--rootless | global:--criu) st_wait=skip ;;
  global:--root=* | global:--log-level=* | global:--cgroup-manager=* | global:--rootless=* | global:--criu=*) ;;
  global:--debug | global:--systemd-cgroup) ;;
  global:create | global:run) st_mode=create ;;
  global:--version | global:-v | global:--help | global:-h | global:-V | global:--usage | 'global:-?') exec @RUNTIME@ "$@" ;;
  global:-*) st_mode=unclear; break ;;
  global:*) exec @RUNTIME@ "$@" ;;
  create:--) break ;;
  create:--bundle | create:-b) st_wait=bundle ;;
  create:--bundle=*) st_bundle=${st_word#*=} ;;
  create:-b*) st_bundle=${st_word#-b} ;;
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
  printf '%s\n' "$PWD"
  st_up=. st_above=. st_word=${PWD%/}
  while [ -n "$st_word" ]; do
    st_word=${st_word%/*} st_up=$st_up/..
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
  st_umask=${st_meta%%"$st_nl"*} st_meta=${st_meta#*"$st_nl"}
  st_cpu=${st_meta%%"$st_nl"*} st_meta=${st_meta#*"$st_nl"}
  # The folder itself, whatever its path leads to later.
  st_real=${st_meta%%"$st_nl"*} st_meta=${st_meta#*"$st_nl"}
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
      if st_owned "${st_word#"$st_temp"}" && @MV@ -f "$st_word" "$st_real/config.json"; then
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
  st_deno @SLOW@ runtime --settings @SETTINGS@ --refused 3 ${st_locked:+"$st_locked"} -- "$@"
  if [ "$st_status" -eq 1 ]; then
    st_deno @WITHOUTJIT@ runtime --settings @SETTINGS@ --refused 3 ${st_locked:+"$st_locked"} -- "$@"
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
  printf '%s\n' "$st_word" >&2
  if [ -n "$st_log" ] && [ "$st_format" = json ]; then
    printf '{"level":"error","msg":"%s","time":"%s"}\n' "$st_word" "$(@DATE@ -u +%Y-%m-%dT%H:%M:%SZ)" >>"$st_log"
  elif [ -n "$st_log" ]; then
    printf '%s\n' "$st_word" >>"$st_log"
  fi
fi
exit 1
