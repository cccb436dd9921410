#!/bin/sh
# shellcheck shell=dash
## The files that hook.sh and wrapper.sh leave in the store, in place of `@SHARED@`: counts of
## containers, and compilers that were killed.
##
## A count is a file with a byte for each container, which is one append, whatever
## else starts at this moment. counts.ts keeps it small.
# Adds one container to a count, if that is there and can be written to.
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
  4?c0\ *) ;;
  *) return ;;
  esac
  { printf . >>@STORE@/count.failed; } 2>/dev/null
  if [ "$2" -le 128 ] || [ -z "$1" ]; then return; fi
  st_word=$(@DATE@ +%s)
  {
    # By the time of these it expires.
    printf '' >>@STORE@/count.hit
    printf '' >>@STORE@/count.left
    printf '%s\n' "$((st_word + 3600))" >@STORE@/"$1".killed
  } 2>/dev/null
}
