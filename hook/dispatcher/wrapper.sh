#!/bin/sh
# shellcheck shell=dash
## The wrapper of a runtime: prepares the bundle, then becomes the runtime.
##
## No variable of the environment is changed for the runtime: all names begin with
## `st_`, and what is exported, `cd`, limits and masks are those of a subshell. The table of
## options is that of runtime_args.ts; tests hold both to the same cases.
##
## dispatcher.ts makes the installed program of this file. Its convention:
## - the first line and lines that begin with "##" or "# shellcheck" are left out;
## - @NAME@ stands for a value of the host, quoted if it has to be;
## - lines from "#@if NAME" to "#@else" are for hosts that NAME is true of, from
##   there to "#@end" for the others. KEEPSNUL: the awk reads a NUL as any byte.
##
## `deno task embed` writes it into dispatcher_code.ts. It is POSIX sh and what
## dash and busybox have beyond it: `test -O`, `test -G`.
# Adds a precompiled seccomp filter to a bundle, then becomes the runtime.
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
st_look() {
  cd -P -- "$st_bundle" || exit 11
  # Another owner or group than a new file would have is for Deno.
  [ -O config.json ] && [ -G config.json ] && [ ! -L config.json ] && [ ! -g . ] || exit 11
  st_temp=.seccomp-tree-$$
  if [ -e "$st_temp" ]; then exit 11; fi
  ulimit -t @SECONDS@
  st_up=. st_above=. st_word=${PWD%/}
  while [ -n "$st_word" ]; do
    st_word=${st_word%/*} st_up=$st_up/..
    st_above="$st_above $st_up"
  done
  LC_ALL=C ST_META=''
  export LC_ALL ST_META
  # shellcheck disable=SC2086
  if ! { @LINKED@; }; then ST_META=$(exec @STAT@ config.json $st_above @WATCHED@); fi
  # A new file has the mode of the old one from its beginning.
  case $ST_META in
  81a4*) umask 022 ;;
  81a0*) umask 027 ;;
  *) umask 077 ;;
  esac
  # It reports to the caller.
  @AWK@ -v bundle=1 -v sealed=0 -v temp="$st_temp" @PROGRAM@ <config.json
  st_status=$?
  case $st_status in
  20) exec @MV@ -f "$st_temp" config.json ;;
  0 | 10) ;;
  *) st_status=11 ;;
  esac
  if [ -e "$st_temp" ]; then @RM@ -f "$st_temp"; fi
  exit "$st_status"
}
@SHARED@
st_try() {
  st_text=$(st_look 2>/dev/null)
  st_seen=$?
  case $st_seen in
  0) if [ -n "$st_text" ]; then st_count; fi ;;
  10 | 11) ;;
  *)
    # What awk has read without a doubt is known, whatever becomes of the file.
    st_seen=10
    if [ -e "$st_bundle/.seccomp-tree-$$" ]; then @RM@ -f "$st_bundle/.seccomp-tree-$$"; fi ;;
  esac
}
st_deno() {
  "$@" </dev/null >/dev/null 9<&-
  st_status=$?
}
st_slow() {
  #@if FLOCK
  # Of many starts at once, one compiles; the others look again.
  if [ "$st_seen" -eq 10 ] && @FLOCK@ -w @SECONDS@ 9 2>/dev/null; then
    st_locked=--locked
    st_try 9<&-
    if [ "$st_seen" -eq 0 ]; then st_status=0; return; fi
  fi
  #@end
  st_deno @SLOW@ runtime --settings @SETTINGS@ --refused 3 ${st_locked:+"$st_locked"} -- "$@"
  if [ "$st_status" -eq 1 ]; then
    st_deno @WITHOUTJIT@ runtime --settings @SETTINGS@ --refused 3 ${st_locked:+"$st_locked"} -- "$@"
  fi
}
st_seen=11 st_locked='' st_text=''
if [ "$st_mode" = create ] && [ -f "$st_bundle/config.json" ]; then st_try; fi
if [ "$st_seen" -eq 0 ]; then exec @RUNTIME@ "$@"; fi
#@if FLOCK
if [ "$st_seen" -eq 10 ] && [ ! -d @STORE@ ]; then @MKDIR@ -m 700 @STORE@ 2>/dev/null; fi
if [ -r @STORE@ ]; then st_slow "$@" 9<@STORE@; else st_slow "$@"; fi
#@else
st_slow "$@"
#@end
if [ "$st_status" -eq 0 ]; then exec @RUNTIME@ "$@"; fi
if [ "$st_status" -ne 3 ]; then
  st_name=${st_text#* }
  st_remember
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
