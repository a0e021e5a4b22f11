# bash completion for xenprobe-convert, made of its table of options

_xenprobe_convert()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    COMPREPLY=()
    case $before in
        --sysroot) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
        --emit) mapfile -t COMPREPLY < <(compgen -W 'xl' -- "$word"); return ;;
        --mode) mapfile -t COMPREPLY < <(compgen -W 'pv pvh hvm' -- "$word"); return ;;
        -o | --output) mapfile -t COMPREPLY < <(compgen -f -W '- xenstore kmsg block: file: virtio: LABEL= UUID=' -- "$word"); return ;;
    esac
    mapfile -t COMPREPLY < <(compgen -f -W '--sysroot --emit --mode --json -o --output -h --help -V --version' -- "$word"); return
} && complete -o filenames -F _xenprobe_convert xenprobe-convert
