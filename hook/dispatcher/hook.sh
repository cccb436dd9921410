#!/bin/sh
# shellcheck shell=dash disable=SC2093
## Podman's `precreate` stage: a configuration from standard input to standard
## output. awk prints the answer to descriptor 3, which is that output, or hands the
## configuration on. Status 3 of Deno is a refusal, status 1 its own if it cannot
## start: its JIT cannot if memory must not become executable, nor can a user's without
## a home. So it starts again without a JIT and without a cache. With arguments, the input is a state and time does not matter: Deno takes
## its place.
##
## The limit of CPU time is for awk alone. Who waits for the rest of an input that
## never ends has no configuration: Podman's own limit of time ends that.
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
# Adds a precompiled seccomp filter to a container's configuration.
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
  { @TR@ '\000' '\001' && printf '\002'; } | @AWK@ -v bundle=0 -v sealed=1 "$st_program"
  #@end
}
# Takes what awk has said: ends after an answer.
st_judge() {
  st_seen=$1
  case $st_seen in
  0)
    if [ -n "$st_text" ]; then
      st_count "${st_text%% *}"
      st_owned "${st_text#* }"
    fi
    exit 0 ;;
  126 | 127)
    # Without awk, the configuration has not been read.
    st_text=$(@TR@ '\000' '\001'; printf .)
    st_seen=11 st_length=$((${#st_text} - 1)) ;;
  *)
    st_length=${st_text%%"$st_nl"*}
    st_text=${st_text#*"$st_nl"}
    st_name=${st_length#* } st_length=${st_length% *} ;;
  esac
  case $st_seen$st_text in
  1[014]*.) st_text=${st_text%.} ;;
  *) st_seen=bad ;;
  esac
  if [ "$st_seen" = bad ] || [ "$st_length" != "${#st_text}" ]; then
    # Not read to its end, or with a NUL, which shells drop: this is not taken
    # for complete.
    st_seen=11 st_text=$(printf '\001')
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
    printf %s "$st_text" | "$@" hook --settings @SETTINGS@ --refused 3 ${st_locked:+"$st_locked"} 3>&- 9<&-
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
  printf %s "${st_answer%.}"
  exit ;;
3) exit 1 ;;
esac
st_remember "$st_name" "$st_status"
printf 'seccomp-tree: the hook ended with status %s: run seccomp-tree doctor\n' "$st_status" >&2
#@if LENIENT
if [ "$st_seen" -eq 10 ]; then
  # Every reader reads it alike, and no filter replaces its section: its runtime makes that.
  @LOGGER@
  printf %s "$st_text"
  exit
fi
#@end
exit 1
