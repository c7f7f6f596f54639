"""The scripts by which the shells ask ``lkm __complete``; nothing that it answers is evaluated by them."""

__all__ = ["FILES", "SCRIPTS"]

_BASH = r"""# bash completion for lkm; written by `lkm completion bash`

_lkm() {
    local program=$1 line kind
    local -a answer
    COMPREPLY=()
    type -P -- "$program" >/dev/null || program=lkm
    mapfile -t answer < <("$program" __complete bash "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    kind=${answer[0]-words}
    for line in "${answer[@]:1}"; do
        COMPREPLY+=("${line%%$'\t'*}")
    done
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=:/] ]] && compopt -o nospace
    case $kind in
        directories) compopt -o dirnames ;;
        files)
            if [[ ${#COMPREPLY[@]} -eq 0 ]]; then
                compopt -o default
            elif [[ ${COMP_WORDS[COMP_CWORD]} ]]; then
                mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
            fi
            ;;
    esac
}

complete -F _lkm lkm
"""

_ZSH = r"""#compdef lkm
# zsh completion for lkm; written by `lkm completion zsh`

_lkm() {
    local program=${(Q)words[1]} line name meaning kind
    local -a answer plain open
    (( $+commands[$program] )) || [[ -x $program ]] || program=lkm
    answer=("${(@f)$("$program" __complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    kind=$answer[1]
    for line in "${(@)answer[2,-1]}"; do
        name=${line%%$'\t'*}
        meaning=${line#*$'\t'}
        [[ $name == *[=:/] ]] && open+=("${name//:/\\:}${meaning:+:$meaning}") && continue
        plain+=("${name//:/\\:}${meaning:+:$meaning}")
    done
    local ret=1
    (( $#plain )) && _describe -t values 'lkm' plain && ret=0
    (( $#open )) && _describe -t values 'lkm' open -S '' && ret=0
    if [[ $kind == (files|directories) ]]; then
        compset -P '--*=' || compset -P '(emulated|vm):'
        if [[ $kind == directories ]]; then
            _files -/ && ret=0
        else
            _files && ret=0
        fi
    fi
    return ret
}

if [[ $funcstack[1] == _lkm ]]; then
    _lkm "$@"
else
    compdef _lkm lkm
fi
"""

_FISH = r"""# fish completion for lkm; written by `lkm completion fish`

function __lkm_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    type -q -- $program; or set program lkm
    set -l answer ($program __complete fish $words "$current" 2>/dev/null)
    if test (count $answer) -gt 1
        printf '%s\n' $answer[2..]
    end
    set -l before (string match -r -- '^(?:--[^=]*=|emulated:|vm:)' "$current")
    set -l path (string replace -r -- '^(?:--[^=]*=|emulated:|vm:)' '' "$current")
    switch "$answer[1]"
        case files
            for found in (__fish_complete_path "$path")
                echo "$before$found"
            end
        case directories
            for found in (__fish_complete_directories "$path" '')
                echo "$before$found"
            end
    end
end

complete -c lkm -f -a '(__lkm_complete)'
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}

FILES = {
    "bash": "share/bash-completion/completions/lkm",
    "zsh": "share/zsh/site-functions/_lkm",
    "fish": "share/fish/vendor_completions.d/lkm.fish",
}
"""Where a shell looks for its script, below a prefix such as /usr/local."""
