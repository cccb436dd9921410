# Completions of seccomp-tree for bash 4.4 or later. The program itself says what
# can follow; this script reads the command line and adds files.
# shellcheck shell=bash

_seccomp_tree() {
  local -a words=() lines=()
  local line=${COMP_LINE:0:COMP_POINT} word i shell prefix
  COMPREPLY=()
  # bash cuts words at : and = (COMP_WORDBREAKS), which the program does not.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((i == 0)) || [[ $line == [[:space:]]* ]]; then
      line=${line#"${line%%[![:space:]]*}"}
      words+=("")
    fi
    # The word at the cursor ends there.
    ((i < COMP_CWORD)) || word=$line
    words[${#words[@]} - 1]+=$word
    line=${line#"$word"}
  done
  local cur=${words[${#words[@]} - 1]}
  if [[ $cur == *[\'\"\\]* ]]; then
    # Only names of files need quotes; readline completes them.
    compopt -o default
    return
  fi
  local program=${words[0]/#\~\//$HOME/}
  mapfile -t lines < <(
    "$program" __complete "${words[@]:1}" 2>/dev/null </dev/null
  )
  IFS=$'\t' read -r shell prefix <<<"${lines[0]}"
  if [[ $shell == command ]]; then
    _seccomp_tree_command
    return
  fi
  for line in "${lines[@]:1}"; do
    COMPREPLY+=("${line%%$'\t'*}")
  done
  local path=${cur#"$prefix"} name
  if [[ $shell == files ]]; then
    mapfile -t lines < <(compgen -f -- "$path")
  elif [[ $shell == folders ]]; then
    mapfile -t lines < <(compgen -d -- "$path")
  else
    lines=()
  fi
  for name in "${lines[@]}"; do
    word=$(printf %q "$name")
    # A quoted tilde would no longer stand for a home folder.
    [[ $name != \~*/* ]] || word=${name%%/*}/$(printf %q "${name#*/}")
    [[ ! -d ${name/#\~\//$HOME/} ]] || word+=/
    COMPREPLY+=("$prefix$word")
  done
  if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *[:=/] ]]; then
    compopt -o nospace
  fi
  # readline replaces only what comes after the last : or =.
  local break head=
  for break in : =; do
    [[ $COMP_WORDBREAKS == *$break* && $cur == *$break* ]] || continue
    word=${cur%"${cur##*"$break"}"}
    ((${#word} <= ${#head})) || head=$word
  done
  COMPREPLY=("${COMPREPLY[@]#"$head"}")
}

# Completes the command after --, by its own completion.
_seccomp_tree_command() {
  local i start spec function
  for ((start = 1; start < COMP_CWORD; start++)); do
    [[ ${COMP_WORDS[start]} != -- ]] || break
  done
  ((start++))
  if declare -F _comp_command_offset >/dev/null; then
    _comp_command_offset "$start"
    return
  elif declare -F _command_offset >/dev/null; then
    _command_offset "$start"
    return
  fi
  if ((COMP_CWORD == start)); then
    mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
    return
  fi
  for ((i = 0; i < start; i++)); do
    COMP_LINE=${COMP_LINE#"${COMP_WORDS[i]}"}
    spec=${COMP_LINE%%[![:space:]]*}
    COMP_LINE=${COMP_LINE#"$spec"}
    ((COMP_POINT -= ${#COMP_WORDS[i]} + ${#spec}))
  done
  COMP_WORDS=("${COMP_WORDS[@]:start}")
  ((COMP_CWORD -= start))
  spec=$(complete -p "${COMP_WORDS[0]##*/}" 2>/dev/null)
  if [[ $spec =~ \ -F\ ([^ ]+) ]]; then
    function=${BASH_REMATCH[1]}
    "$function" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" \
      "${COMP_WORDS[COMP_CWORD - 1]}"
  elif [[ -n $spec ]]; then
    # What "complete -p" prints is quoted, and ends in the command's name.
    spec=${spec#complete }
    mapfile -t COMPREPLY < <(
      eval "compgen ${spec% *} -- \"\${COMP_WORDS[COMP_CWORD]}\""
    )
  else
    compopt -o default
  fi
}

complete -F _seccomp_tree seccomp-tree
