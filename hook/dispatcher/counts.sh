#!/bin/sh
# shellcheck shell=dash
## What hook.sh and wrapper.sh leave in the store, in place of `@SHARED@`: counts of
## containers, and compilers that were killed.
##
## A count is a file with a byte for each container, which is one append, whatever
## else starts at this moment. counts.ts keeps it small. A hit reports its count and
## its entry.
# Adds one to the count of a hit, and looks at its entry.
st_count() {
  { printf . >>@STORE@/count."${st_text%% *}"; } 2>/dev/null
  st_text=@STORE@/${st_text#* }
  # Nobody else can enter the store; still, what others own does not stay.
  if [ ! -O "$st_text" ] || [ -L "$st_text" ]; then @MV@ -f "$st_text" "$st_text.bad"; fi
}
# Remembers for some time that the compiler was killed over this section.
st_remember() {
  { printf . >>@STORE@/count.failed; } 2>/dev/null
  if [ "$st_status" -le 128 ] || [ -z "$st_name" ]; then return; fi
  { printf '%s\n' $(($(@DATE@ +%s) + @KILLEDSECONDS@)) >@STORE@/"$st_name".killed; } 2>/dev/null
}
