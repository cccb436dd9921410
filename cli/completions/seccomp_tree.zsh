#compdef seccomp-tree
# Completions of seccomp-tree for zsh. The program itself says what can follow;
# this script adds files.

_seccomp_tree() {
  local -a lines fields values briefs shown open open_shown
  local line shell prefix program=${(Q)words[1]/#\~\//$HOME/}
  local -a typed=("${(@Q)words[2,CURRENT - 1]}" "${(Q)PREFIX}")
  lines=("${(@f)$("$program" __complete "${typed[@]}" 2>/dev/null </dev/null)}")
  fields=("${(@ps:\t:)lines[1]}")
  shell=$fields[1]
  prefix=$fields[2]
  if [[ $shell == command ]]; then
    local start=${words[(i)--]}
    words=("${(@)words[start + 1,-1]}")
    ((CURRENT -= start))
    _normal
    return
  fi
  local value brief found=1
  for line in "${(@)lines[2,-1]}"; do
    value=${line%%$'\t'*}
    brief=${line#*$'\t'}
    [[ -z $brief ]] || brief="$value  -- $brief"
    if [[ $value == *[:=/] ]]; then
      open+=("$value")
      open_shown+=("${brief:-$value}")
    else
      values+=("$value")
      shown+=("${brief:-$value}")
    fi
  done
  if (($#values)); then compadd -l -d shown -a values && found=0; fi
  if (($#open)); then compadd -S '' -l -d open_shown -a open && found=0; fi
  if [[ $shell == files || $shell == folders ]]; then
    [[ -z $prefix ]] || compset -P "${(b)prefix}"
    if [[ $shell == files ]]; then _files && found=0; else _files -/ && found=0; fi
  fi
  return found
}

# Loaded by its name from a folder of fpath, or by source.
if [[ $funcstack[1] == _seccomp-tree ]]; then
  _seccomp_tree "$@"
else
  compdef _seccomp_tree seccomp-tree
fi
