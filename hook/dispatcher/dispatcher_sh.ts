/**
 * The `sh` programs of the dispatcher, with `@NAME@` where dispatcher.ts fills
 * in paths. POSIX and what dash and busybox have beyond it: `test -O`, `-G`.
 *
 * No variable of the environment is changed for the runtime: all names here
 * begin with `st_`, nothing is exported, `cd` and `set` happen in subshells.
 *
 * @module
 */

/**
 * Lists what has to be believed; for a subshell. The files that the
 * environment names are appended to "$@".
 */
export const LISTING = `while read -r st_word st_path st_rest; do
      if [ "$st_word" = file ]; then set -- "$@" "$st_path"; fi
    done 2>/dev/null <@ENVIRONMENT@
    @BARE@
    exec @STAT@ @FOLDERS@ @STORE@/* "$@" 2>/dev/null`;

/**
 * Gives the listing up where it is too long for a variable of the environment
 * (128 KiB); then there is no entry to believe.
 */
export const SHORTEN = `if [ "\${#st_list}" -gt 100000 ]; then st_list=; fi`;

/**
 * Takes the mark off that ends what awk answers, lest the shell takes line ends
 * of the configuration away. Without one the answer is not whole.
 */
export const UNMARK = `case $st_answer in
*.) st_answer=\${st_answer%.} ;;
*) st_status=unfinished ;;
esac`;

/**
 * Podman's `precreate`: standard input to standard output. Status 3 is a
 * refusal, 1 is Deno's own where it cannot start: where memory must not become
 * executable its JIT cannot be, and it is started again without one. With
 * arguments it looks at a state, and nobody waits: Deno takes its place.
 */
export const HOOK_BODY =
  `# Adds a precompiled seccomp filter to a container's configuration.
if [ $# -ne 0 ]; then exec @WITHOUTJIT@ hook --settings @SETTINGS@ "$@"; fi
LC_ALL=C
export LC_ALL
st_nl='
'
st_list=
if [ -r @ENVIRONMENT@ ]; then
  st_list=$(
    @LISTING@
  )
fi
@SHORTEN@
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
  @READ@
)
st_status=$?
case @UNREAD@$st_status in
unread126 | unread127)
  # A program is missing, so nobody has read the configuration.
  @SLOW@ hook --settings @SETTINGS@ --refused 3
  st_status=$?
  if [ "$st_status" -eq 1 ]; then
    @WITHOUTJIT@ hook --settings @SETTINGS@ --refused 3
    st_status=$?
  fi
  st_end "$st_status" ;;
esac
@UNMARK@
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

/** Reads standard input by an awk that keeps NUL. */
export const READ_PLAIN = `ST_LISTING=$st_list
  export ST_LISTING
  exec @TIMEOUT@ @AWK@ @PROGRAM@ 2>/dev/null`;

/** Reads standard input for an awk that takes NUL for the end: it becomes byte 1. */
export const READ_BY_TR =
  `{ @TIMEOUT@ @TR@ '\\000' '\\001' && printf '\\002'; } | ST_LISTING=$st_list @AWK@ -v sealed=1 @PROGRAM@ 2>/dev/null`;

/** Reads a bundle's configuration by an awk that keeps NUL. */
export const READ_FILE = `LC_ALL=C ST_LISTING=$st_list
    export LC_ALL ST_LISTING
    exec @AWK@ -v bundle=1 @PROGRAM@ <config.json 2>/dev/null`;

/** Reads a bundle's configuration for an awk that takes NUL for the end. */
export const READ_FILE_BY_TR =
  `{ @TR@ '\\000' '\\001' <config.json && printf '\\002'; } | LC_ALL=C ST_LISTING=$st_list @AWK@ -v bundle=1 -v sealed=1 @PROGRAM@ 2>/dev/null`;

/** The wrapper: prepares the bundle, then becomes the runtime. */
export const WRAPPER_BODY =
  `# Adds a precompiled seccomp filter to a bundle, then becomes the runtime.
st_nl='
'
st_mode=global st_bundle=. st_log= st_format= st_wait=
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
st_answer= st_status=
if [ "$st_mode" = create ] && [ -r @ENVIRONMENT@ ] && [ -f "$st_bundle/config.json" ]; then
  st_answer=$(
    cd -P -- "$st_bundle" || exit
    # Another owner or group than a new file would have is for Deno.
    [ -O config.json ] && [ -G config.json ] && [ ! -g . ] || exit
    set -- . config.json
    st_list=$(
    @LISTING@
    )
    @SHORTEN@
    @READ@
  ) 2>/dev/null
  st_status=$?
fi
@UNMARK@
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
