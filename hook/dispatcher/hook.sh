#!/bin/sh
# shellcheck shell=dash
## Podman's `precreate` stage: a configuration from standard input to standard
## output. Status 3 of Deno is a refusal, status 1 its own if it cannot start: when
## memory must not become executable its JIT cannot start, so it runs without one.
## With arguments this looks at a state, and nobody waits: Deno takes its place.
##
## dispatcher.ts makes the installed program of this file. Its convention:
## - the first line and lines that begin with "##" or "# shellcheck" are left out;
## - @NAME@ stands for a value of the host, quoted if it has to be;
## - lines from "#@if NAME" to "#@else" are for hosts that NAME is true of, from
##   there to "#@end" for the others. KEEPSNUL: the awk reads a NUL as any byte.
##
## `deno task embed` writes it into dispatcher_code.ts. It is POSIX sh and what
## dash and busybox have beyond it: `test -O`, `test -G`.
# Adds a precompiled seccomp filter to a container's configuration.
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
if [ "${#st_list}" -gt 100000 ]; then st_list=; fi
# Ends as Deno did.
st_end() {
  case $1 in
  0) exit ;;
  3) ;;
  *) printf 'seccomp-tree: the hook ended with status %s: run seccomp-tree doctor\n' "$1" >&2 ;;
  esac
  exit 1
}
st_answer=$(
  #@if KEEPSNUL
  ST_LISTING=$st_list
  export ST_LISTING
  exec @TIMEOUT@ @AWK@ -v bundle=0 -v sealed=0 @PROGRAM@ 2>/dev/null
  #@else
  { @TIMEOUT@ @TR@ '\000' '\001' && printf '\002'; } | ST_LISTING=$st_list @AWK@ -v bundle=0 -v sealed=1 @PROGRAM@ 2>/dev/null
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
*.) st_answer=${st_answer%.} ;;
*) st_status=unfinished ;;
esac
st_verdict=${st_answer%%"$st_nl"*}
st_answer=${st_answer#*"$st_nl"}
case $st_status$st_verdict in
"0none")
  printf %s "$st_answer"
  exit ;;
"0hit "*)
  st_name=${st_verdict#hit }
  st_sum=$(@BARE@ exec @SHA256SUM@ <"@STORE@/$st_name")
  if [ "${st_sum%% *}" = "${st_name##*.}" ]; then
    printf %s "$st_answer"
    exit
  fi ;;
"0miss ${#st_answer}") ;;
# Not read to its end, or with a NUL, which shells drop: nobody takes this for whole.
*) st_answer=$(printf '\001') ;;
esac
printf %s "$st_answer" | @SLOW@ hook --settings @SETTINGS@ --refused 3
st_status=$?
if [ "$st_status" -eq 1 ]; then
  printf %s "$st_answer" | @WITHOUTJIT@ hook --settings @SETTINGS@ --refused 3
  st_status=$?
fi
st_end "$st_status"
