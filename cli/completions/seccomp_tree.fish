# Completions of seccomp-tree for fish 3 or later. The program itself says what
# can follow; this script adds files.

function __seccomp_tree
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    # Without quotes, which fish puts back by itself.
    if string match -qr '^[\'"]' -- "$current"
        set current (string sub -s 2 -- "$current")
    else if string match -qr '\\\\' -- "$current"
        set current (string unescape -- "$current")
    end
    set -l lines (command $words[1] __complete $words[2..-1] "$current" 2>/dev/null </dev/null)
    for line in $lines[2..-1]
        echo $line
    end
    set -l head (string split \t -- $lines[1])
    switch $head[1]
        case files folders
            __seccomp_tree_paths $head[1] "$head[2]" "$current"
        case command
            set -l start (contains -i -- -- $words)
            set -l command $words[(math $start + 1)..-1]
            complete -C (string join ' ' -- (string escape -- $command) (commandline -ct))
    end
end

# Prints files or folders that begin with what follows a prefix in a word.
function __seccomp_tree_paths -a kind prefix word
    set -l path (string sub -s (math (string length -- "$prefix") + 1) -- "$word")
    # A quoted tilde would no longer stand for a home folder.
    set path (string escape -n -- "$path" | string replace -r '^\\\\~' '~')
    for name in (complete -C "'' $path" | string replace -r '\t.*' '')
        if test $kind = files; or string match -qr '/$' -- $name
            echo $prefix$name
        end
    end
end

complete -c seccomp-tree -f -a '(__seccomp_tree)'
